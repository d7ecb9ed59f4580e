package attacks

// tables returns every table of attacks.
func tables() [][]attack {
	return [][]attack{doorsToTCP(), addresses(), localSockets(), otherFamilies(),
		systemCalls(), supervisorAsTarget(), files(), standardFiles(), races(), execution(),
		resources(), sideChannels(), escapesOfPython()}
}

// runByHand names the programs that a test of their own runs.
func runByHand() []string { return nil }
