package storage

// batch is the approximate number of directory entries that are read at a time.
const batch = 256
