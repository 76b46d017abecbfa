package soak

import (
	"context"
	"math/rand/v2"
	"slices"
)

// op is an operation of a client in a session.
type op struct {
	name   string
	weight int
	do     func(*client, context.Context) error
}

// plan is the operations of clients, with their weights.
type plan []op

// calm is the operations of ordinary clients.
var calm = plan{
	{"upload", 20, (*client).store},
	{"download", 20, (*client).retrieve},
	{"append or resume", 8, (*client).grow},
	{"list", 8, (*client).list},
	{"rename", 4, (*client).rename},
	{"delete", 4, (*client).remove},
	{"directories", 3, (*client).directories},
	{"facts", 4, (*client).facts},
	{"checksum", 2, (*client).hash},
	{"rest", 4, (*client).rest},
}

// wild is calm with operations that go wrong.
var wild = append(slices.Clip(calm),
	op{"ABOR of an upload", 3, (*client).abortUpload},
	op{"ABOR of a download", 3, (*client).abortDownload},
	op{"STAT during an upload", 3, (*client).stat},
	op{"QUIT during a download", 2, (*client).quit},
	op{"reset of an upload", 3, (*client).resetUpload},
	op{"reset of a download", 3, (*client).resetDownload},
	op{"vanishing in an upload", 2, (*client).vanish},
	op{"vanishing in an append", 2, (*client).vanishGrowing},
	op{"hanging up", 2, (*client).hangUp},
	op{"stall", 1, (*client).stall},
	op{"pause in a download", 3, (*client).pause},
	op{"unused port", 3, (*client).unused},
	op{"mistakes", 3, (*client).mistakes},
)

// pick returns a random operation by weight.
func (p plan) pick(chance *rand.Rand) *op {
	sum := 0
	for i := range p {
		sum += p[i].weight
	}
	n := chance.IntN(sum)
	for i := range p {
		if n -= p[i].weight; n < 0 {
			return &p[i]
		}
	}
	panic("weights that are no sum")
}
