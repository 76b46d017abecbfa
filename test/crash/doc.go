// Package crash tests what an acknowledgement is worth when the machine loses power: no acknowledged upload may be
// missing or torn after it, and no name may show what was never uploaded.
//
// A real ext4, on a loop device, is put under load by a process of its own. The file behind the loop device is served
// by the test, through FUSE, so the test sees each write and each flush that the file system makes, in their order, and
// takes the time of each acknowledgement by them. After the load it cuts the power at many moments, on paper: a disk
// keeps what was written before the last flush; of what came later it may have lost any part. What is left is mounted
// (the file system replays its journal), swept as by a daemon that starts, and compared with what had been acknowledged.
//
//	make soak DURATION=30m
package crash
