package attacks

import (
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestRaces(t *testing.T) { runAttacks(t, races()) }

// races are attacks that change something between the check and the act.
func races() []attack {
	web := []string{"--preset=http-only"}
	return []attack{
		{program: "race_address", hows: []string{"thread", "process", "non-blocking"}, set: race, flags: web},
		{
			program: "race_descriptor", hows: []string{"connect", "disconnect"}, set: race, flags: web, harmless: true,
		},
		{program: "race_descriptor", name: "race_descriptor_of_listener", hows: []string{"listen"}, set: raceToListen, flags: web, harmless: true},
		{program: "race_path", hows: []string{"name", "link", "directory"}, set: raceOfPaths},
		{program: "race_exit", set: race, flags: web, says: "alive"},
		{program: "race_memory", set: race, flags: web, says: "alive"},
	}
}

// race is a scene with a server that the policy allows and a canary.
func race(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := canaryBesideWeb(t, who, how)
	setTries(s)
	if how == "thread" {
		s.target["seconds"] = 4 * s.target["seconds"].(float64) // the race that is always tried in full
	}
	logTries(t, s)
	return s
}

// raceToListen is a race in which somebody outside connects to the host.
func raceToListen(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := portOfTheHost(t, who, how)
	setTries(s)
	logTries(t, s)
	return s
}

// logTries logs how often the program has tried.
func logTries(t *testing.T, s *scene) {
	t.Helper()
	happened := s.happened
	s.happened = func(run ended) bool {
		t.Log(regexp.MustCompile(`(?m)^.* tries.*$`).FindString(run.stdout))
		return happened(run)
	}
}

// setTries says how often and how long to try, whichever ends first.
func setTries(s *scene) {
	tries, seconds := 100_000, 5*time.Second
	if *long {
		tries, seconds = 1_000_000, patience()/6 // the tries end first
	}
	s.target["tries"], s.target["seconds"], s.target["children"] = tries, seconds.Seconds(), tries/1000
}

// raceOfPaths is a race for a server of the host's.
func raceOfPaths(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := newScene(t, who)
	path := filepath.Join(s.dir, "server")
	s.happened = serveLocal(t, how, path)
	open(t, path, who)
	s.target["path"] = path
	s.flags = []string{"--allow-read=" + s.dir}
	setTries(s)
	logTries(t, s)
	return s
}
