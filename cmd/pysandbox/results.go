package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/supervisor"
)

// resultFlags say where the account of a run goes.
type resultFlags struct{ report, audit string }

func (r *resultFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&r.report, "report", "", "write the report of the run to `FILE`, or to the open descriptor fd:N")
	flags.StringVar(&r.audit, "audit", "", "append each decision to `FILE`, or write it to the open descriptor fd:N")
}

// results are the opened destinations; nil where none was asked for.
type results struct{ report, audit *os.File }

// open opens the destinations, so that a run whose account could not be kept
// does not start.
func (r *resultFlags) open() (results, error) {
	report, err := openResult("report", r.report, os.O_TRUNC)
	if err != nil {
		return results{}, err
	}
	audit, err := openResult("audit", r.audit, os.O_APPEND)
	if err != nil {
		return results{}, err
	}
	return results{report: report, audit: audit}, nil
}

// openResult opens FILE or fd:N for writing. A report replaces what the file
// held, an audit trail is appended to.
func openResult(flag, value string, mode int) (*os.File, error) {
	if value == "" {
		return nil, nil
	}
	if number, ok := strings.CutPrefix(value, "fd:"); ok {
		return openDescriptor(flag, number)
	}
	file, err := os.OpenFile(value, os.O_WRONLY|os.O_CREATE|mode, 0o644)
	if err != nil {
		return nil, misuse("", "--%s: open %s: %s", flag, value, cause(err))
	}
	return file, nil
}

// openDescriptor takes over descriptor number, which the caller of pysandbox
// has opened for writing.
func openDescriptor(flag, number string) (*os.File, error) {
	hint := "open it in the shell, as in --" + flag + "=fd:3 3>file"
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 0 {
		return nil, misuse(hint, "--%s: %q is not the number of a descriptor", flag, number)
	}
	mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, misuse(hint, "--%s: descriptor %d is not open", flag, fd)
	}
	if mode&unix.O_ACCMODE == unix.O_RDONLY {
		return nil, misuse(hint, "--%s: descriptor %d is not open for writing", flag, fd)
	}
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "fd:"+number), nil
}

// write writes the report as one line of JSON, if a report was asked for.
func (r results) write(report supervisor.Report) error {
	if r.report == nil {
		return nil
	}
	line, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if _, err := r.report.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the report to %s: %s", r.report.Name(), cause(err))
	}
	return nil
}

// setupFailed is the report of a run that err kept from starting.
func setupFailed(err error) supervisor.Report {
	return supervisor.Report{
		Version:    1,
		Outcome:    supervisor.SetupFailed,
		Reason:     err.Error(),
		ExitCode:   failureStatus(err),
		Violations: []supervisor.Violation{},
	}
}
