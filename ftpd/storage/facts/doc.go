// Package facts keeps in memory what listings say about the entries of directories that are listed again and again.
//
// A Cache decides which directories these are, and keeps what it knows true by inotify. Cache.Open is what a listing
// calls. It returns a Snapshot, which never changes: the listing reads it while others change the directory. Begin
// reading at Cache.Open. snapshot.go and fact.go are pure bookkeeping; watcher.go and local.go do the system calls.
//
// # What is true
//
// A Snapshot shows every change that was complete before Open was called, if the kernel reported it. The kernel reports
// an event before the call returns that made the change, so this holds for changes by other processes, too. Facts that
// can change without an event are read anew by each Open: those of directories, of files with several hard links, of
// mount points, and of files that were changed within the last two seconds (settled). A directory in which that
// concerns more than a quarter of the entries, and more than 32, is not kept; nor is one in which it concerns more than
// 512, or for which Open would take longer than a quarter of a second.
//
// These changes are not reported: the time of a file that is written through a memory mapping; writes by the system
// call io_submit until the file is closed; writes through a file handle (open_by_handle_at, the NFS server of this
// kernel), by an overlay file system of which the directory is a layer, or through the descriptor of a file that was made
// without a name in another directory; a new hard link in another directory to a file that had one name, with what is
// then written through it; what is written through a name, or a descriptor opened by a name, that is removed before the next
// Open; what io_uring writes before Linux 5.18; and what a loop device writes to its image. They show at the latest after
// MaxAge, when the directory is read anew. A program that keeps writing in one of these ways, with pauses of less than
// two seconds, is seen at once from then on, since its file does not settle.
//
// All of this is for Linux. Elsewhere package storage keeps nothing.
package facts
