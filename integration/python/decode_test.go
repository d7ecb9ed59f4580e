package python

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/pysandbox/pysandbox/internal/testenv"
	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
)

// pythonDecoder answers each frame with what Python's codec makes of it.
type pythonDecoder struct {
	in  *bufio.Writer
	out *bufio.Reader
}

// decoderCode reads frames with a length of four bytes before each, and writes
// "-" for a refused one, or the value as render writes it.
const decoderCode = `
import struct, sys
from pysandbox.codec import FrameError, Reference, Region, decode, encode
def render(v):
    if v is None or isinstance(v, bool): return repr(v)
    if isinstance(v, Reference): return "ref %d" % v
    if isinstance(v, Region): return "region %d %d" % v
    if isinstance(v, int): return str(v)
    if isinstance(v, float): return "f%016x" % struct.unpack(">Q", struct.pack(">d", v))[0]
    if isinstance(v, bytes): return "x" + v.hex()
    if isinstance(v, str): return "u" + v.encode().hex()
    if isinstance(v, list): return "[" + ",".join(map(render, v)) + "]"
    return "{" + ",".join(render(k) + ":" + render(x) for k, x in v.items()) + "}"
def place(v):
    if isinstance(v, Reference): return int(v)
    if isinstance(v, Region): return tuple(v)
i, o = sys.stdin.buffer, sys.stdout.buffer
while True:
    head = i.read(4)
    if len(head) < 4: break
    data = i.read(int.from_bytes(head, "big"))
    try:
        value = decode(data)
    except FrameError:
        o.write(b"-\n")
    else:
        if encode(value, place) != data: o.write(b"!")
        o.write(render(value).encode() + b"\n")
    o.flush()
`

func startDecoder(t *testing.T, python testenv.Python) *pythonDecoder {
	t.Helper()
	cmd := exec.Command(python.Path, "-S", "-c", decoderCode)
	root, err := testenv.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), packagePath(root))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("python's decoder: %v", err)
		}
	})
	return &pythonDecoder{bufio.NewWriter(in), bufio.NewReader(out)}
}

// compare decodes frames on both sides. Python's answers are read beside the
// writing, so no pipe fills up.
func (p *pythonDecoder) compare(t *testing.T, frames [][]byte) (accepted int) {
	t.Helper()
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		for _, frame := range frames {
			_ = binary.Write(p.in, binary.BigEndian, uint32(len(frame)))
			_, _ = p.in.Write(frame)
		}
		_ = p.in.Flush()
	})
	for _, frame := range frames {
		line, err := p.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		want := "-"
		if value, err := capability.Decode(frame); err == nil {
			want = render(value)
			accepted++
		}
		if line != want+"\n" {
			t.Fatalf("%x: Go has %s, Python has %s", frame, want, line)
		}
	}
	return accepted
}

func render(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return fmt.Sprintf("f%016x", math.Float64bits(v))
	case []byte:
		return fmt.Sprintf("x%x", v)
	case string:
		return fmt.Sprintf("u%x", v)
	case capability.Reference:
		return fmt.Sprintf("ref %d", int64(v))
	case capability.Region:
		if v.Text {
			return fmt.Sprintf("region %d %d", v.Offset, -1-int64(v.Length))
		}
		return fmt.Sprintf("region %d %d", v.Offset, v.Length)
	case []any:
		text := "["
		for i, item := range v {
			if i > 0 {
				text += ","
			}
			text += render(item)
		}
		return text + "]"
	case capability.Map:
		text := "{"
		for i, entry := range v {
			if i > 0 {
				text += ","
			}
			text += render(entry.Key) + ":" + render(entry.Value)
		}
		return text + "}"
	}
	return fmt.Sprintf("unknown %T", value)
}

// vectors are the frames of testdata/vectors.json, which both sides must accept
// or refuse as it says.
func vectors(t *testing.T) (accepted, refused [][]byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Accepted, Refused map[string]string }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	parse := func(from map[string]string) (frames [][]byte) {
		for name, digits := range from {
			var frame []byte
			if _, err := fmt.Sscanf(digits, "%x", &frame); err != nil && digits != "" {
				t.Fatalf("%s: %v", name, err)
			}
			frames = append(frames, frame)
		}
		return frames
	}
	return parse(list.Accepted), parse(list.Refused)
}

func TestVectors(t *testing.T) {
	accepted, refused := vectors(t)
	python := startDecoder(t, testenv.Pythons(t)[0])
	if n := python.compare(t, accepted); n != len(accepted) {
		t.Errorf("%d of %d vectors were accepted", n, len(accepted))
	}
	if n := python.compare(t, refused); n != 0 {
		t.Errorf("%d vectors were accepted that must be refused", n)
	}
}

// TestDecodersAgree decodes mutated frames on both sides. PYSANDBOX_FUZZ_FRAMES
// says how many; the default is what a test run has time for.
func TestDecodersAgree(t *testing.T) {
	total := 200_000
	if given := os.Getenv("PYSANDBOX_FUZZ_FRAMES"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil {
			t.Fatal(err)
		}
		total = n
	}
	seeds, refused := vectors(t)
	seeds = append(seeds, refused...)
	python := startDecoder(t, testenv.Pythons(t)[0])
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	accepted := 0
	for done := 0; done < total; done += 10_000 {
		frames := make([][]byte, 10_000)
		for i := range frames {
			frames[i] = mutate(random, seeds)
		}
		accepted += python.compare(t, frames)
	}
	if accepted < total/100 || accepted > total*99/100 {
		t.Errorf("%d of %d frames were accepted, which tells little", accepted, total)
	}
}

// mutate makes a frame from two others: pieces are swapped, bytes are changed,
// and heads of the format are put in.
func mutate(random *rand.Rand, seeds [][]byte) []byte {
	frame := append([]byte(nil), seeds[random.IntN(len(seeds))]...)
	if len(frame) > 64 {
		frame = frame[:64]
	}
	heads := []byte{0x00, 0x17, 0x18, 0x20, 0x38, 0x40, 0x58, 0x60, 0x78, 0x80, 0x98, 0xa0, 0xb8, 0xd8, 0xf4, 0xf6, 0xfb, 0x1b, 0x3b, 0x9f, 0xff}
	for range random.IntN(4) {
		at := 0
		if len(frame) > 0 {
			at = random.IntN(len(frame))
		}
		switch random.IntN(5) {
		case 0:
			if len(frame) > 0 {
				frame[at] = byte(random.Uint32())
			}
		case 1:
			frame = append(frame[:at:at], append([]byte{heads[random.IntN(len(heads))]}, frame[at:]...)...)
		case 2:
			frame = frame[:at]
		case 3:
			frame = append([]byte{byte(0x81 + random.IntN(3))}, frame...)
		case 4:
			frame = append(frame, seeds[random.IntN(len(seeds))]...)
		}
	}
	return frame
}
