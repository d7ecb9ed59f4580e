package attacks

// tables returns every table of attacks.
func tables() [][]attack {
	return [][]attack{
		doorsToTCP(), addresses(), localSockets(), otherFamilies(),
		systemCalls(), supervisorAsTarget(), files(), standardFiles(), races(), execution(),
		resources(), sideChannels(), escapesOfPython(), variables(),
	}
}

// runByHand names the programs that a test of their own runs.
func runByHand() []string {
	return []string{"supervisor_death", "tty_inject", "name_hostile"}
}
