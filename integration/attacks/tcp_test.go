package attacks

import "testing"

func TestDoorsToTCP(t *testing.T) { runAttacks(t, doorsToTCP()) }

// doorsToTCP are ways to a TCP connection beside connect(2) on a fresh socket.
func doorsToTCP() []attack {
	web := []string{"--preset=http-only"}
	return []attack{
		{
			program: "tcp_fastopen", hows: []string{"sendto", "sendmsg", "sendmmsg"},
			set: canaryOutside, flags: web, denied: "^(send|connect)",
		},
	}
}
