package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// carriers returns the programs of others that give a network namespace a way out,
// as rootless containers have it. They decide nothing, so only what goes through
// them is compared.
func carriers(python, scratch string) []contender {
	var field []contender
	if path, err := exec.LookPath("pasta"); err == nil {
		field = append(field, contender{
			name: "pasta", note: "its own TCP beside the kernel's; no rules", carrier: true, measures: carriedMeasures(),
			command: func(args ...string) *exec.Cmd {
				flags := []string{
					"--config-net", "--no-map-gw", "--quiet", "--runas", "0", "--log-file", filepath.Join(scratch, "pasta.log"),
					"--interface", "veth0", "--address", "203.0.113.1", "--netmask", "24", "--gateway", "203.0.113.80", "--", python,
				}
				return exec.Command(path, append(flags, args...)...)
			},
		})
	}
	if _, err := exec.LookPath("slirp4netns"); err == nil && os.Getuid() == 0 {
		field = append(field, contender{
			name: "slirp4netns", note: "a network stack in user space; no rules", carrier: true, measures: carriedMeasures(),
			command: func(args ...string) *exec.Cmd {
				return exec.Command("bash", append([]string{"-c", slirpScript, "bash", python}, args...)...)
			},
		})
	}
	if carrier, found := bypass4netns(python, scratch); found {
		field = append(field, carrier)
	}
	return field
}

// slirpScript runs its arguments in a network namespace behind slirp4netns.
const slirpScript = `set -e
unshare --net sleep infinity <&- & inside=$!
trap 'kill $inside $slirp 2>/dev/null || true' EXIT
sleep 0.1 # it has a namespace of its own by now
slirp4netns --configure --mtu=65520 $inside tap0 >/dev/null 2>&1 <&- & slirp=$!
for _ in {1..200}; do
  nsenter --net --target $inside ip route | grep -q default && break
  sleep 0.01
done
nsenter --net --target $inside "$@"
`

// carriedMeasures leave out what Debian's pasta of 2023 does not survive: 128 MiB at
// once, and 5000 connections.
func carriedMeasures() []metric { return []metric{allowed, roundTrip} }

// sandboxes are the contenders but for the carriers.
func sandboxes(field []contender) []contender {
	return slices.DeleteFunc(slices.Clone(field), func(c contender) bool { return c.carrier })
}
