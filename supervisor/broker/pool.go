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
	running sync.WaitGroup
}

func (p *pool) start(b *Broker) {
	p.jobs = make(chan func(), poolQueue)
	for range poolWorkers {
		p.running.Go(func() {
			for job := range p.jobs {
				job()
			}
		})
	}
}

// stop waits for the jobs that have begun; the rest find a listener that has no
// caller for them.
func (p *pool) stop() {
	close(p.jobs)
	p.running.Wait()
}

// offload answers req from the pool. The job owns the duplicate in s.
func (b *Broker) offload(req *request, s *socket, job func(*socket) reply) reply {
	own := *s
	own.fd = s.give()
	return b.offloadCall(req, func() recheckedReply {
		defer own.release()
		return recheckedReply{reply: job(&own)}
	})
}

// offloadCall answers req from the pool, with a job that has no descriptor.
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
