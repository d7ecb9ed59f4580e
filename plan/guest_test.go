package plan_test

import (
	"strings"
	"testing"

	"github.com/pysandbox/pysandbox/plan"
)

func TestAClientBringsTheBootstrap(t *testing.T) {
	for name, test := range map[string]struct {
		inv  plan.Invocation
		want string
	}{
		"code":   {plan.Invocation{Kind: plan.RunCode, Argument: "pass"}, "boot code client pass"},
		"serve":  {plan.Invocation{Kind: plan.RunInput}, "boot serve client"},
		"module": {plan.Invocation{Kind: plan.RunModule, Argument: "this", Args: []string{"-v"}}, "boot module client this -v"},
	} {
		test.inv.Directory, test.inv.Client = "/srv/job", true
		r, err := resolveWith(t, nil, test.inv, fixedHost())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.TrimSpace(strings.Join(r.Plan.Command.Args, " ")); got != "/.pysandbox/"+test.want {
			t.Errorf("%s: runs %q", name, got)
		}
		if !strings.Contains(r.Setup.String(), "/.pysandbox/sources") {
			t.Errorf("%s: the guest's code is not in the tree", name)
		}
	}
}

func TestWithoutAClientNothingIsAdded(t *testing.T) {
	r, err := resolveWith(t, nil, script(), fixedHost())
	if err != nil {
		t.Fatal(err)
	}
	if r.Plan.Command.Guest || strings.Contains(r.Setup.String(), ".pysandbox") {
		t.Errorf("a plain program gets the bootstrap:\n%v", r.Setup)
	}
}

func TestOnlyAClientGrants(t *testing.T) {
	pol := preset(t, "strict")
	pol.Capabilities = []string{"clock"}
	if err := compile(t, pol, script()).CheckGrants(); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("without a client: %v", err)
	}
	inv := script()
	inv.Client = true
	if err := compile(t, pol, inv).CheckGrants(); err != nil {
		t.Errorf("with a client: %v", err)
	}
}

func TestAClientNeedsPython(t *testing.T) {
	pol := preset(t, "strict")
	pol.Process.Spawn = []string{"/bin/ls"}
	inv := plan.Invocation{Kind: plan.RunProgram, Argument: "/bin/ls", Directory: "/srv/job", Client: true}
	if _, err := plan.Compile(pol, inv); err == nil || !strings.Contains(err.Error(), "need a Python program") {
		t.Errorf("got %v", err)
	}
}
