package policy_test

import (
	"strings"
	"testing"

	"github.com/ftp-operator/ftp-operator/api/v1alpha1"
	"github.com/ftp-operator/ftp-operator/controllers/policy"
)

const own = "registry.example.com/ftp-operator:1"

func TestCheck(t *testing.T) {
	restricted := policy.Policy{
		Images: []string{"registry.example.com/ftp-operator:*", "registry.example.com/team/*"}, PriorityClasses: []string{"low", "middle"},
	}
	none := policy.Policy{Images: []string{}, PriorityClasses: []string{}}
	for _, test := range []struct {
		name         string
		policy       policy.Policy
		image, class string
		fields       []string
		remedy       string
	}{
		{"nothing is restricted", policy.Policy{}, "evil.example.com/x", "system-node-critical", nil, ""},
		{"nothing is asked for", restricted, "", "", nil, ""},
		{"what is allowed", restricted, "registry.example.com/ftp-operator:2", "low", nil, ""},
		{"below a folder", restricted, "registry.example.com/team/ftpd:1", "", nil, ""},
		{"not deeper", restricted, "registry.example.com/team/x/ftpd:1", "", []string{"spec.image"}, "registry.example.com/team/*"},
		{"the operator's own is always", none, own, "", nil, ""},
		{"nothing else", none, own + "1", "low", []string{"spec.image", "spec.template.priorityClassName"}, "ask for it"},
		{"another image", restricted, "evil.example.com/registry.example.com/team/x", "", []string{"spec.image"}, "remove spec.image"},
		{"another class", restricted, "", "system-node-critical", []string{"spec.template.priorityClassName"}, "low, middle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := &v1alpha1.FtpServer{}
			server.Spec.Image, server.Spec.Template.PriorityClassName = test.image, test.class
			refused := test.policy.Check(server, own)
			if len(refused) != len(test.fields) {
				t.Fatalf("refused %+v, want %v", refused, test.fields)
			}
			for i, field := range test.fields {
				if refused[i].Field != field || i == 0 && !strings.Contains(refused[i].Message, test.remedy) {
					t.Errorf("refused %+v, want %s with %q", refused[i], field, test.remedy)
				}
			}
		})
	}
}

// TestRemedies: what a refusal advises is allowed.
func TestRemedies(t *testing.T) {
	p := policy.Policy{Images: []string{"registry.example.com/ftp-operator:1.2"}, PriorityClasses: []string{"low"}}
	server := &v1alpha1.FtpServer{}
	for _, follow := range []func(){
		func() { server.Spec.Image, server.Spec.Template.PriorityClassName = "", "" },
		func() {
			server.Spec.Image, server.Spec.Template.PriorityClassName = "registry.example.com/ftp-operator:1.2", "low"
		},
	} {
		server.Spec.Image, server.Spec.Template.PriorityClassName = "evil.example.com/x", "high"
		if refused := p.Check(server, own); len(refused) != 2 {
			t.Fatalf("refused %+v", refused)
		}
		follow()
		if refused := p.Check(server, own); refused != nil {
			t.Errorf("refused %+v though its advice was followed", refused)
		}
	}
}

func TestCheckPattern(t *testing.T) {
	for pattern, good := range map[string]bool{
		"registry.example.com/x:*": true, "a/*@sha256:*": true, "x": true, "": false, "a b": false, "a[": false, "a?": false, `a\`: false,
	} {
		if err := policy.CheckPattern(pattern); (err == nil) != good {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestAllowsSecret(t *testing.T) {
	for _, test := range []struct {
		required bool
		labels   map[string]string
		want     bool
	}{
		{false, nil, true},
		{true, nil, false},
		{true, map[string]string{v1alpha1.AllowLabel: "false"}, false},
		{true, map[string]string{v1alpha1.AllowLabel: "true"}, true},
	} {
		if got := (policy.Policy{RequireSecretLabel: test.required}).AllowsSecret(test.labels); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
