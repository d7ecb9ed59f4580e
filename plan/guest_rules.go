package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
)

// guestRules writes what the guest is told of the policy, a word and its subject on
// each line. By it the guest words its refusals; it enforces nothing.
//
//	allow, deny, need MODULE           the rules on imports
//	refuse KIND ERRNO RULE HINT        tcp, udp, resolve or execve, whatever the target
//	port KIND FIRST LAST               but not these ports, which some rule allows
//	read, write DIRECTORY/             where there is anything to read, or to write
//	own, fixed PATH/                   what no hint may cover, or reach for writing
func (p *Plan) guestRules(h *Host, tree namespaces.Tree) []byte {
	var text []byte
	for _, list := range []struct {
		word  string
		names []string
	}{{"allow", p.Python.ModulesAllow}, {"deny", p.Python.ModulesDeny}, {"need", h.Modules.Needed}} {
		for _, name := range list.names {
			text = fmt.Appendf(text, "%s %s\n", list.word, name)
		}
	}
	text = p.networkWords(text)
	if !p.startsPrograms() && !p.Files.TmpExec {
		text = append(text, "refuse execve EACCES process.spawn --allow-spawn=TARGET\n"...)
	}
	return hintWords(placeWords(text, tree), h)
}

// networkWords says what no rule allows. A rule without ports says nothing. Which
// addresses are the host's own, that no rule reaches, is not told to a guest.
func (p *Plan) networkWords(text []byte) []byte {
	allow := p.Network.Rules.Allow
	if len(allow) == 0 {
		text = append(text, "refuse resolve NXDOMAIN network.default --allow-net=TARGET\n"...)
	}
	for _, transport := range []struct {
		kind     string
		protocol netrule.Protocol
	}{{"tcp", netrule.TCP}, {"udp", netrule.UDP}} {
		of := slices.DeleteFunc(slices.Clone(allow), func(r netrule.Rule) bool { return r.Protocol != transport.protocol })
		if slices.ContainsFunc(of, func(r netrule.Rule) bool { return len(r.Ports) == 0 }) {
			continue
		}
		text = fmt.Appendf(text, "refuse %s %s network.default --allow-net=TARGET unless the host has that address\n", transport.kind, p.Network.Errno)
		for _, rule := range of {
			for _, ports := range rule.Ports {
				text = fmt.Appendf(text, "port %s %d %d\n", transport.kind, ports.First, ports.Last)
			}
		}
	}
	return text
}

// placeWords lists the directories and files that are there. The kernel's own file
// systems have an answer for every name.
func placeWords(text []byte, tree namespaces.Tree) []byte {
	type place struct {
		name  string
		flags uint16
	}
	var places []place
	for _, bind := range tree.Binds {
		places = append(places, place{bind.Target, bind.Flags})
	}
	for _, tmpfs := range tree.Tmpfs {
		places = append(places, place{tmpfs.Path, tmpfs.Flags})
	}
	for _, name := range kernelPlaces() {
		places = append(places, place{name, 0})
	}
	for _, place := range places {
		name := strings.TrimSuffix(place.name, "/") + "/"
		if strings.ContainsAny(name, "\n") {
			continue // such a name has only the kernel's words
		}
		text = fmt.Appendf(text, "read %s\n", name)
		if place.flags&namespaces.FlagReadOnly == 0 {
			text = fmt.Appendf(text, "write %s\n", name)
		}
	}
	return text
}

// hintWords says in the guest's terms what SuggestsWrite refuses and checkUserPath.
func hintWords(text []byte, h *Host) []byte {
	fixed := systemPlaces()
	for _, bind := range h.Interpreter.Binds {
		if !belowAny(bind.Path, fixed) && !strings.ContainsAny(bind.Path, "\n") {
			fixed = append(fixed, bind.Path)
		}
	}
	for _, list := range []struct {
		word   string
		places []string
	}{{"own", ownPlaces()}, {"fixed", fixed}} {
		for _, place := range list.places {
			text = fmt.Appendf(text, "%s %s/\n", list.word, place)
		}
	}
	return text
}
