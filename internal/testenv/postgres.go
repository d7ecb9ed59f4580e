package testenv

import (
	"errors"
	"os/exec"
	"path/filepath"
)

// PostgresDir returns the directory of a PostgreSQL server's programs: Debian
// keeps every version's apart and none on PATH.
func PostgresDir() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	server, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.Join(errors.New("no /usr/lib/postgresql/*/bin/postgres"), err)
	}
	return filepath.Dir(server), nil
}
