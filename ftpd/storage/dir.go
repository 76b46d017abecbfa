package storage

// batch is how many entries of a directory are held at a time, about.
const batch = 256
