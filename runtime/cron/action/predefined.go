package action

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/hegner123/modulagen/runtime/cron"
	"github.com/hegner123/modulagen/runtime/cron/project"
	"github.com/hegner123/modulagen/runtime/store"
)

// predefined is the action_type that has a name in its configuration.
type predefined struct {
	byName map[string]cron.Action
}

func predefinedOf(p *project.Project, o cron.Options) (*predefined, error) {
	backup, err := backupOf(p, o.Backup)
	if err != nil {
		return nil, err
	}
	d := &predefined{byName: map[string]cron.Action{
		"publish_scheduled_content": publishOf(p),
		"cleanup_cache":             sweepOf(p),
		"cleanup_sessions":          sessionsOf(p),
		"cleanup":                   cleanupOf(p),
		"invalidate_cache":          invalidateOf(p),
		"backup_database":           backup,
		"digest_email":              digestOf(p),
	}}
	for _, name := range slices.Sorted(maps.Keys(o.Actions)) {
		switch {
		case name == "":
			return nil, fmt.Errorf("cron: Options.Actions has an action without a name")
		case o.Actions[name] == nil:
			return nil, fmt.Errorf("cron: Options.Actions[%q] is nil", name)
		case d.byName[name] != nil:
			return nil, fmt.Errorf("cron: Options.Actions[%q] has the name of a predefined action; give it another one", name)
		}
	}
	maps.Copy(d.byName, o.Actions)
	return d, nil
}

// find returns the action that a configuration names.
func (d *predefined) find(config store.JSON) (cron.Action, error) {
	var c struct {
		Action *string `json:"action"`
	}
	names := slices.Sorted(maps.Keys(d.byName))
	if len(bytes.TrimSpace(config)) == 0 {
		return nil, wrong("", `is missing; write {"action": "publish_scheduled_content"}, or another name`)
	}
	if err := json.Unmarshal(config, &c); err != nil {
		if json.Valid(config) {
			return nil, wrong("", `is not an object with the name of an action; write {"action": "publish_scheduled_content"}`)
		}
		return nil, wrong("", "is not valid JSON: %v", err)
	}
	if c.Action == nil {
		return nil, wrong("action", "is missing%s", meant("", names))
	}
	a := d.byName[*c.Action]
	if a == nil {
		return nil, &cron.ConfigError{Path: "action", Problem: fmt.Sprintf("%q is not known%s", *c.Action, meant(*c.Action, names)), Local: true}
	}
	return a, nil
}

// Check returns what is wrong with the name, or with the configuration of what it names.
func (d *predefined) Check(config store.JSON) error {
	a, err := d.find(config)
	if err != nil {
		return err
	}
	return a.Check(config)
}

// Run runs what the configuration names.
func (d *predefined) Run(ctx context.Context, r *cron.Run) error {
	a, err := d.find(r.Config)
	if err != nil {
		return err
	}
	return a.Run(ctx, r)
}
