package config

// Storage says where files lie, and how safe they are when an upload is acknowledged.
type Storage struct {
	// Root is the directory below which every home lies. Required. Static.
	Root string `json:"root"`
	// Durability is Fsync (default) or None.
	Durability Durability `json:"durability,omitempty"`
	// PartialUploads is Discard (default) or Keep.
	PartialUploads PartialUploads `json:"partialUploads,omitempty"`
}

// Durability is what an acknowledged upload survives.
type Durability string

const (
	// DurabilityFsync acknowledges an upload, or another change, only when it is on the disk:
	// file and directory are synced before the reply.
	DurabilityFsync Durability = "Fsync"
	// DurabilityNone leaves it to the kernel when to write: many small files go faster, and those
	// of the last half minute may be lost or empty when a machine (not only the daemon) dies.
	// Names still never show an upload that is not complete.
	DurabilityNone Durability = "None"
)

// PartialUploads is what becomes of an upload that breaks off.
type PartialUploads string

const (
	// PartialUploadsDiscard drops what has come: a name shows the old file, or nothing.
	PartialUploadsDiscard PartialUploads = "Discard"
	// PartialUploadsKeep stores under the name what has come, in place of what was there, so that
	// the client can ask for its SIZE and go on with REST. It holds for binary uploads of users
	// who may overwrite, since nobody else could go on; never when the disk or the quota is full.
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
