package audit

import (
	"cmp"
	"slices"
	"sync"
)

// MaxViolations is how many violations of the kernel's a Fold keeps, and
// MaxGuestViolations how many of those that the guest alone tells of: however many it
// invents, what the kernel has seen has room.
const (
	MaxViolations      = 1000
	MaxGuestViolations = 200
)

// maxFolded is the length in bytes to which a folded string is cut. It bounds
// the memory of a Fold whatever a guest does.
const maxFolded = 1024

// Violation is one kind of denied call, counted. Its JSON form is the report's.
type Violation struct {
	Operation string `json:"operation"`
	Target    string `json:"target"`
	Rule      string `json:"rule"`
	Errno     string `json:"errno"`
	Count     int    `json:"count"`
	Hint      string `json:"hint"`
	Where     string `json:"where,omitempty"`  // "file:line in function", empty if nobody said it
	Source    string `json:"source,omitempty"` // SourceGuest if the guest said Where, or all of it
}

// Fold is a sink that folds denials into violations: the same operation, target,
// rule and error count as one. It is safe for concurrent use; the zero value
// is ready.
type Fold struct {
	mu      sync.Mutex
	kinds   map[kind]*counted
	where   map[place]string
	dropped int

	fromKernel, fromGuest int // kinds
}

type kind struct {
	guest                          bool
	operation, target, rule, errno string
}

type place struct{ operation, target string }

type counted struct {
	Violation
	order int
}

// Record implements Sink. Records of allowed calls are ignored; those of asked
// calls say where a denied one came from.
func (f *Fold) Record(r Record) {
	if r.Verdict == Allow {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k := kind{
		guest: r.Source == SourceGuest, operation: short(r.Operation), target: short(r.Target),
		rule: short(r.Rule), errno: short(r.Errno),
	}
	if r.Where != "" {
		f.remember(place{k.operation, k.target}, short(r.Where))
	}
	if r.Verdict == Ask {
		return
	}
	if seen := f.kinds[k]; seen != nil {
		seen.Count++
		return
	}
	if f.full(k.guest) {
		f.dropped++
		return
	}
	if f.kinds == nil {
		f.kinds = make(map[kind]*counted)
	}
	v := Violation{
		Operation: k.operation, Target: k.target, Rule: k.rule, Errno: k.errno, Hint: short(r.Hint), Count: 1,
	}
	if k.guest {
		v.Source = SourceGuest
	}
	f.kinds[k] = &counted{Violation: v, order: len(f.kinds)}
}

// full counts one more kind unless there is no room for it.
func (f *Fold) full(guest bool) bool {
	count, most := &f.fromKernel, MaxViolations
	if guest {
		count, most = &f.fromGuest, MaxGuestViolations
	}
	if *count == most {
		return true
	}
	*count++
	return false
}

// remember keeps the first place from which the guest says it did something.
func (f *Fold) remember(p place, where string) {
	if _, known := f.where[p]; known || len(f.where) == MaxViolations {
		return
	}
	if f.where == nil {
		f.where = make(map[place]string)
	}
	f.where[p] = where
}

// Violations returns them in the order in which they were first seen, those of the
// kernel's first, as a terminal shows only some; and how many denied calls are missing
// from them. What the kernel saw and the guest explained appears once, as the kernel's,
// with the guest's Where.
func (f *Fold) Violations() (violations []Violation, dropped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kernel := make(map[place]bool, len(f.kinds))
	for k := range f.kinds {
		if !k.guest {
			kernel[place{k.operation, k.target}] = true
		}
	}
	kept := make([]*counted, 0, len(f.kinds))
	for k, c := range f.kinds {
		if !k.guest || !kernel[place{k.operation, k.target}] {
			kept = append(kept, c)
		}
	}
	slices.SortFunc(kept, func(a, b *counted) int {
		// What the guest alone tells of has a source; the kernel's has none yet.
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.order, b.order))
	})
	for _, c := range kept {
		v := c.Violation
		v.Where = f.where[place{v.Operation, v.Target}]
		if v.Where != "" {
			v.Source = SourceGuest
		}
		violations = append(violations, v)
	}
	return violations, f.dropped
}

// short cuts a string to what a Fold keeps, without holding on to a longer one.
func short(s string) string {
	cut, was := clip(s, maxFolded)
	if !was {
		return s
	}
	return cut + "…"
}
