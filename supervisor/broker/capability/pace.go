package capability

import "time"

// What a guest may send in a second, and at once after a pause. A call and its
// answer take some 100 µs, so an honest guest stays far below.
const (
	framesPerSecond = 50_000
	bytesPerSecond  = 512 << 20
)

// pace is a token bucket for frames and one for bytes, both a second deep.
type pace struct {
	last          time.Time
	frames, bytes float64
}

func newPace(now time.Time) *pace {
	return &pace{last: now, frames: framesPerSecond, bytes: bytesPerSecond}
}

// take pays for a frame of so many bytes and returns how long to wait before it
// may pass.
func (p *pace) take(now time.Time, size int) time.Duration {
	passed := now.Sub(p.last).Seconds()
	p.last = now
	p.frames = min(framesPerSecond, p.frames+passed*framesPerSecond) - 1
	p.bytes = min(bytesPerSecond, p.bytes+passed*bytesPerSecond) - float64(size)
	debt := max(-p.frames/framesPerSecond, -p.bytes/bytesPerSecond, 0)
	return time.Duration(debt * float64(time.Second))
}
