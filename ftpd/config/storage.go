package config

// Storage says where files are stored, and how safe they are when an upload is acknowledged.
type Storage struct {
	// Root is the directory below which all homes are. Required. Static.
	Root string `json:"root"`
	// Durability is Fsync (default) or None.
	Durability Durability `json:"durability,omitempty"`
	// PartialUploads is Discard (default) or Keep.
	PartialUploads PartialUploads `json:"partialUploads,omitempty"`
}

// Durability says what an acknowledged upload survives.
type Durability string

const (
	// DurabilityFsync acknowledges an upload, or another change, only when it is on the disk: file and directory are
	// synced before the reply.
	DurabilityFsync Durability = "Fsync"
	// DurabilityNone lets the kernel decide when to write. Many small files are stored faster, but those of the last
	// half minute may be lost or empty if the machine (not only the daemon) crashes. Even then, names never show an
	// upload that is not complete.
	DurabilityNone Durability = "None"
)

// PartialUploads says what happens to an upload that breaks off.
type PartialUploads string

const (
	// PartialUploadsDiscard drops what has arrived: the name shows the old file, or nothing.
	PartialUploadsDiscard PartialUploads = "Discard"
	// PartialUploadsKeep stores what has arrived under the name, in place of the old file, so that the client can ask
	// for its SIZE and resume with REST. It applies to binary uploads of users who may overwrite, since others could
	// not resume, and never if the disk or the quota is full.
	PartialUploadsKeep PartialUploads = "Keep"
)

func (s *Storage) setDefaults() {
	setDefault(&s.Durability, DurabilityFsync)
	setDefault(&s.PartialUploads, PartialUploadsDiscard)
}

func (p *problems) storage(s *Storage) {
	if s.Root == "" {
		p.add("storage.root", "is missing: name the directory that holds the homes")
	}
	if s.Durability != DurabilityFsync && s.Durability != DurabilityNone {
		p.add("storage.durability", "%q is unknown: write %s or %s", s.Durability, DurabilityFsync, DurabilityNone)
	}
	if s.PartialUploads != PartialUploadsDiscard && s.PartialUploads != PartialUploadsKeep {
		p.add("storage.partialUploads", "%q is unknown: write %s or %s", s.PartialUploads, PartialUploadsDiscard, PartialUploadsKeep)
	}
}
