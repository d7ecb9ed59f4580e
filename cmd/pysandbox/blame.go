package main

import (
	"errors"
	"os"
	"regexp"
	"strings"

	"github.com/pysandbox/pysandbox/policy"
)

// blame puts the policy file before an error about a key of it, as errors of
// reading do. The file is to blame if the error is the same without any flag; try
// finds that out.
func (f *policyFlags) blame(err error, try func(alone *policyFlags) error) error {
	file := f.file
	if file == "" {
		file = policy.ReadEnvironment(os.LookupEnv).Policy
	}
	_, placed := errors.AsType[*policy.Error](err)
	_, worded := errors.AsType[*failure](err)
	if file == "" || placed || worded || !namesKey(err.Error()) {
		return err
	}
	alone := try(&policyFlags{file: f.file, preset: f.preset})
	if alone == nil || alone.Error() != err.Error() {
		return err
	}
	return errors.New(file + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+file+": "))
}

// namesKey says whether a text names a key of a policy.
func namesKey(text string) bool {
	return regexp.MustCompile(`\b(capabilities|env|files|limits|network|process|python|syscalls)\.[a-z_]+\b`).MatchString(text)
}
