package broker

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Workers of the pool, and how much work may wait for them. Every waiting job is
// a thread of the sandbox that waits for its answer.
const (
	poolWorkers = 4
	poolQueue   = 4096
)

// pool does what may block or takes long: looking up paths, whose file system may
// be slow, and searching processes with many descriptors.
type pool struct {
	jobs    chan func()
	quit    chan struct{}
	running sync.WaitGroup
}

func newPool() pool {
	return pool{jobs: make(chan func(), poolQueue), quit: make(chan struct{})}
}

func (p *pool) start() {
	for range poolWorkers {
		p.running.Go(func() {
			for {
				select {
				case <-p.quit:
					return
				case job := <-p.jobs:
					job()
				}
			}
		})
	}
}

// stop waits for the jobs that have begun and then does the rest, which own
// descriptors; their callers are mostly gone.
func (p *pool) stop() {
	close(p.quit)
	p.running.Wait()
	for {
		select {
		case job := <-p.jobs:
			job()
		default:
			return
		}
	}
}

// offload answers req from the pool. The job owns the duplicate in s.
func (b *Broker) offload(req *request, s *socket, job func(*socket) reply) reply {
	req.pooled = true
	own := *s
	own.fd = s.give()
	r := b.offloadCall(req, func() recheckedReply {
		defer own.release()
		return recheckedReply{reply: job(&own)}
	})
	if !r.later {
		own.release()
	}
	return r
}

// offloadCall answers req from the pool, with a job that has no descriptor. Where
// too much waits for the pool, it says EAGAIN and drops the job.
func (b *Broker) offloadCall(req *request, job func() recheckedReply) reply {
	run := func() {
		defer func() {
			if cause := recover(); cause != nil {
				b.recoverFrom(req, cause)
			}
		}()
		if response, later := rechecked(req, job()); !later {
			b.answer(req, response)
		}
	}
	select {
	case b.pool.jobs <- run:
		return postponed()
	default:
		return deny(unix.EAGAIN)
	}
}
