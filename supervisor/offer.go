package supervisor

import (
	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
)

// offer is what the stage waits for beside its plan: the control group that it enters,
// and the program's ends of the channel.
type offer struct {
	joins   bool                // the plan waits for a control group
	cgroup  *Cgroup             // nil: there is none to enter
	channel *capability.Channel // nil for a program without the bootstrap
	made    bool                // the group, if any
	sent    bool                // to the stage that is there
}

// makeChannel makes the channel, once.
func (o *offer) makeChannel(p *plan.Plan) (err error) {
	if p.Command.Guest && o.channel == nil {
		o.channel, err = capability.Open(p.Invocation.Client)
	}
	return err
}

// makeGroup makes the control group, once.
func (o *offer) makeGroup(p *plan.Plan, place CgroupPlace, c *child) (err error) {
	limits := groupLimits(p, c)
	if o.made || !place.limits(limits) {
		return nil
	}
	o.joins = true
	o.cgroup, err = NewCgroup(place, limits, c.pid)
	o.made = err == nil
	return err
}

// send sends what was made, unless this stage has it: it enters the group before it
// leaves the old group's view (cgroup_namespaces(7)).
func (o *offer) send(c *child) error {
	if o.sent {
		return nil
	}
	if o.joins {
		var files []int
		if o.cgroup != nil {
			for _, file := range o.cgroup.Join {
				files = append(files, int(file.Fd()))
			}
		}
		if err := c.control.send(message{kind: msgGroup}, files...); err != nil {
			return err
		}
	}
	if o.channel != nil {
		var files []int
		for _, file := range o.channel.Guest {
			files = append(files, int(file.Fd()))
		}
		if err := c.control.send(message{kind: msgFDs}, files...); err != nil {
			return err
		}
	}
	o.sent = true
	return nil
}

// close closes our copies of what the stage has got: the end of the guest's socket
// could not be seen otherwise.
func (o *offer) close() {
	o.cgroup.CloseJoin()
	if o.channel != nil {
		o.channel.CloseGuest()
	}
}

// again makes it ready for another stage: the one that it was for has ended.
func (o *offer) again() {
	_ = o.cgroup.Remove() // which may hold that one by its pid
	o.cgroup, o.made, o.sent = nil, false, false
}

// takeBack undoes what was made, once the sandbox has ended.
func (o *offer) takeBack() {
	_ = o.cgroup.Remove() // a group that is still busy is swept by a later run
	if o.channel != nil {
		o.channel.Close()
	}
}

func groupLimits(p *plan.Plan, c *child) CgroupLimits {
	limits := CgroupLimits{Resources: p.Spec.Linux.Resources, CountCPU: p.Limits.CPU > 0, Group: -1}
	if c.lease != nil {
		limits.Group = shim.LeaseGroup
	}
	return limits
}
