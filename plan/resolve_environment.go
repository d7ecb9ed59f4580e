package plan

import (
	"maps"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// resolveEnvironment completes the environment of the plan: PATH begins with the
// interpreter's own directory, and numeric libraries are told how many threads
// they may start, since they count the host's processors and not the limits.
func (p *Plan) resolveEnvironment(h *Host) map[string]string {
	env := make(map[string]string, len(p.Spec.Process.Env))
	for _, line := range p.Spec.Process.Env {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	bin := path.Dir(h.Interpreter.Executable)
	if env["PATH"] == searchPath && path.IsAbs(bin) && !slices.Contains(strings.Split(searchPath, ":"), bin) {
		env["PATH"] = bin + ":" + searchPath
	}
	threads := strconv.Itoa(p.numericThreads(h.CPUs))
	for _, name := range []string{"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"} {
		if _, set := env[name]; !set {
			maps.Copy(env, map[string]string{name: threads})
		}
	}
	return env
}

// numericThreads leaves three quarters of the processes to the program itself.
func (p *Plan) numericThreads(cpus int) int {
	if !p.Process.Threads {
		return 1
	}
	threads := cpus
	if p.Limits.Pids > 0 {
		threads = min(threads, p.Limits.Pids/4)
	}
	if p.Limits.CPUQuota > 0 {
		threads = min(threads, int(math.Ceil(p.Limits.CPUQuota)))
	}
	return max(threads, 1)
}
