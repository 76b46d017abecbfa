package config

// Quota bounds what a user may store. What counts is what his home holds, whoever stored it: two
// users who share a home share what is there, and each has his own bound on it. A bound that is
// loaded holds at once, also for uploads that are running.
type Quota struct {
	// Bytes bounds the sum of the sizes of all files. 0 (default): no bound.
	Bytes int64 `json:"bytes,omitempty"`
	// Files bounds the number of files, directories and links together. 0 (default): no bound.
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
