package config

// Quota limits what a user may store. It applies to the content of the user's home, no matter which user stored it:
// users who share a home share its content, and each has their own limit on it. A changed limit applies at once, also
// to running uploads.
type Quota struct {
	// Bytes is the largest sum of the sizes of all files. 0 (default): no limit.
	Bytes int64 `json:"bytes,omitempty"`
	// Files is the largest number of files, directories and links together. 0 (default): no limit.
	Files int64 `json:"files,omitempty"`
}

func (p *problems) quota(field string, q Quota) {
	if q.Bytes < 0 {
		p.add(field+".bytes", "%d is negative: write how many bytes may be stored, or 0 for no bound", q.Bytes)
	}
	if q.Files < 0 {
		p.add(field+".files", "%d is negative: write how many files there may be, or 0 for no bound", q.Files)
	}
}
