package names

import (
	"sync"
	"time"
)

// mostAnswers bounds the cache; when it is full it is emptied, which costs
// lookups and never correctness.
const mostAnswers = 1024

// cache holds answers for as long as their servers said.
type cache struct {
	mu      sync.Mutex
	answers map[cacheKey]cached
}

type cacheKey struct {
	name   string
	family int
}

type cached struct {
	answer  Answer
	expires time.Time
}

// get returns an answer with what is left of its time to live.
func (c *cache) get(name string, family int, now time.Time) (Answer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.answers[cacheKey{name, family}]
	if !ok || !now.Before(found.expires) {
		return Answer{}, false
	}
	found.answer.TTL = found.expires.Sub(now)
	return found.answer, true
}

func (c *cache) put(name string, family int, answer Answer, now time.Time) {
	if answer.TTL <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil || len(c.answers) >= mostAnswers {
		c.answers = map[cacheKey]cached{}
	}
	c.answers[cacheKey{name, family}] = cached{answer, now.Add(min(answer.TTL, longestPin))}
}
