package cel

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// causes returns the causes in a refusal: one message for each error.
func causes(err error) []metav1.StatusCause {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) || status.Status().Details == nil {
		return nil
	}
	return status.Status().Details.Causes
}

// mustRefuse fails the test unless err is a refusal with exactly the given messages.
func mustRefuse(t *testing.T, err error, messages ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("accepted, want it refused with: %q", messages)
	}
	var found []metav1.StatusCause
	for _, cause := range causes(err) {
		// The API server adds these messages where a type, bound or pattern is violated; they have no meaning by
		// themselves.
		if !strings.Contains(cause.Message, "some validation rules were not checked") &&
			!strings.Contains(cause.Message, "must validate all the schemas (allOf)") {
			found = append(found, cause)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(messages), func(message string) bool {
		return slices.ContainsFunc(found, func(c metav1.StatusCause) bool { return strings.Contains(c.Message, message) })
	})
	if len(found) != len(messages) || len(missing) != 0 {
		t.Fatalf("refused with:\n  %v\nwant just this:\n  %q", err, messages)
	}
	for _, cause := range found {
		// A rule of the whole object can't point to a field of its metadata; its message names the field.
		if (cause.Field == "" || cause.Field == "<nil>") && !strings.HasPrefix(cause.Message, "Invalid value: metadata.name") {
			t.Errorf("a refusal names no field: %v", err)
		}
	}
}

func TestAccepted(t *testing.T) {
	for name, spec := range allAccepted() {
		t.Run(name, func(t *testing.T) {
			if err := dryRun(t.Context(), server(t, spec)); err != nil {
				t.Fatalf("refused: %v\n%s", err, spec)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range allRefused() {
		t.Run(c.name, func(t *testing.T) {
			mustRefuse(t, dryRun(t.Context(), server(t, c.spec)), c.messages...)
		})
	}
}

func TestNames(t *testing.T) {
	const message = "metadata.name becomes a Service's name and a part of pod names"
	longest := "a" + strings.Repeat("b", 50) + "c"
	for _, name := range []string{"f", "files", "files-2", longest} {
		u := server(t, base)
		u.SetName(name)
		if err := dryRun(t.Context(), u); err != nil {
			t.Errorf("name %q (%d characters) refused: %v", name, len(name), err)
		}
	}
	for _, name := range []string{longest + "d", "2files", "files.eu"} {
		t.Run(name, func(t *testing.T) {
			u := server(t, base)
			u.SetName(name)
			mustRefuse(t, dryRun(t.Context(), u), message)
		})
	}
	t.Run("generated", func(t *testing.T) {
		u := server(t, base)
		u.SetName("")
		u.SetGenerateName("files-")
		if err := dryRun(t.Context(), u); err != nil {
			t.Errorf("a generated name was refused: %v", err)
		}
	})
}

// TestEveryRuleIsRefusedByATest: for every rule of the CRD there is a case that violates it.
func TestEveryRuleIsRefusedByATest(t *testing.T) {
	tested := []string{"metadata.name becomes a Service's name and a part of pod names"}
	for _, c := range allRefused() {
		tested = append(tested, c.messages...)
	}
	for _, c := range changes {
		if c.message != "" {
			tested = append(tested, c.message)
		}
	}
	files, err := filepath.Glob(crdDir + "/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs in %s: %v", crdDir, err)
	}
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, version := range crd.Spec.Versions {
			eachRule(version.Name, version.Schema.OpenAPIV3Schema, func(path string, rule apiextensionsv1.ValidationRule) {
				count++
				if rule.Message == "" {
					t.Errorf("%s: the rule %q has no message", path, rule.Rule)
					return
				}
				for _, message := range tested {
					if strings.HasPrefix(rule.Message, message) {
						return
					}
				}
				t.Errorf("%s: no test is refused with %q", path, rule.Message)
			})
		}
	}
	if count < 40 {
		t.Errorf("found only %d rules in the CRDs: the walk over the schema misses some", count)
	}
}

// eachRule calls visit for every CEL rule below a schema.
func eachRule(path string, schema *apiextensionsv1.JSONSchemaProps, visit func(string, apiextensionsv1.ValidationRule)) {
	for _, rule := range schema.XValidations {
		visit(path, rule)
	}
	for name, property := range schema.Properties {
		eachRule(path+"."+name, &property, visit)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		eachRule(path+"[]", schema.Items.Schema, visit)
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		eachRule(path+"{}", schema.AdditionalProperties.Schema, visit)
	}
}
