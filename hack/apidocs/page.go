package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const head = `<!-- Generated from the Go types in api/ by hack/apidocs. Change the comments there, then run: make generate -->

# API reference

The same text as ` + "`kubectl explain`" + ` gives, as one page. What is refused, is refused at ` + "`kubectl apply`" + `,
with the message shown here.
`

// kubernetesTypes are the fields whose type is Kubernetes' own: they are named, not spelled out.
var kubernetesTypes = map[string]string{
	"metadata":                                "ObjectMeta",
	"spec.storage.emptyDir":                   "EmptyDirVolumeSource",
	"spec.storage.volumeClaimTemplate.spec":   "PersistentVolumeClaimSpec",
	"spec.template.affinity":                  "Affinity",
	"spec.template.imagePullSecrets":          "list of LocalObjectReference",
	"spec.template.resources":                 "ResourceRequirements",
	"spec.template.tolerations":               "list of Toleration",
	"spec.template.topologySpreadConstraints": "list of TopologySpreadConstraint",
	"status.conditions":                       "list of Condition",
}

// writeKind writes the part of the page about one kind.
func writeKind(page *bytes.Buffer, crd *apiextensionsv1.CustomResourceDefinition) {
	names := crd.Spec.Names
	for _, version := range crd.Spec.Versions {
		root := version.Schema.OpenAPIV3Schema
		fmt.Fprintf(page, "\n## %s\n\n%s\n\n", names.Kind, paragraphs(root.Description))
		fmt.Fprintf(page, "```yaml\napiVersion: %s/%s\nkind: %s\n```\n", crd.Spec.Group, version.Name, names.Kind)
		fmt.Fprintf(page, "\nResource `%s`%s, %s.\n", names.Plural, shortNames(names.ShortNames), strings.ToLower(string(crd.Spec.Scope)))
		writeColumns(page, version.AdditionalPrinterColumns)
		writeRefusals(page, refusals(root.XValidations))
		for _, part := range []string{"spec", "status"} {
			schema := root.Properties[part]
			writeObject(page, names.Kind, part, &schema)
		}
	}
}

func shortNames(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (short: `" + strings.Join(names, "`, `") + "`)"
}

func writeColumns(page *bytes.Buffer, columns []apiextensionsv1.CustomResourceColumnDefinition) {
	if len(columns) == 0 {
		return
	}
	page.WriteString("\n| column of `kubectl get` | holds |\n| --- | --- |\n")
	for _, c := range columns {
		description, wide := c.Description, ""
		if description == "" {
			description = "`" + c.JSONPath + "`"
		}
		if c.Priority > 0 {
			wide = " (with `-o wide`)"
		}
		fmt.Fprintf(page, "| %s%s | %s |\n", strings.ToUpper(c.Name), wide, cell(description))
	}
}

// writeObject writes a section about an object at a path, then one about each object below it.
func writeObject(page *bytes.Buffer, kind, path string, schema *apiextensionsv1.JSONSchemaProps) {
	fmt.Fprintf(page, "\n### %s.%s\n\n%s\n\n", kind, path, paragraphs(schema.Description))
	page.WriteString("| field | type | default | |\n| --- | --- | --- | --- |\n")

	type child struct {
		path   string
		schema *apiextensionsv1.JSONSchemaProps
	}
	var children []child
	refused := refusals(schema.XValidations)
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		field := schema.Properties[name]
		fieldPath := path + "." + name
		text, below := typeOf(fieldPath, &field)
		if below != nil {
			childPath := fieldPath
			if field.Items != nil {
				childPath += "[]"
			}
			children = append(children, child{childPath, below})
			text = strings.Replace(text, "object", "[object](#"+anchor(kind+"."+childPath)+")", 1)
		} else if field.Items != nil && field.Items.Schema != nil {
			refused = append(refused, refusals(field.Items.Schema.XValidations)...)
		}
		if below == nil || field.Items != nil {
			refused = append(refused, refusals(field.XValidations)...)
		}
		if slices.Contains(schema.Required, name) {
			text += ", **required**"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", name, text, defaultOf(&field), cell(field.Description))
	}
	writeRefusals(page, refused)
	for _, c := range children {
		writeObject(page, kind, c.path, c.schema)
	}
}

// typeOf describes a field's type with its bounds, and returns the schema of the object that a
// section of its own is to describe, if there is one.
func typeOf(path string, field *apiextensionsv1.JSONSchemaProps) (text string, below *apiextensionsv1.JSONSchemaProps) {
	if name, ok := kubernetesTypes[path]; ok {
		return name + bounds(field), nil
	}
	switch {
	case field.XIntOrString:
		return "quantity", nil
	case len(field.Enum) > 0:
		values := make([]string, len(field.Enum))
		for i, value := range field.Enum {
			values[i] = "`" + strings.Trim(string(value.Raw), `"`) + "`"
		}
		return strings.Join(values, ", "), nil
	case field.Type == "array":
		item, below := typeOf(path+"[]", field.Items.Schema)
		return "list of " + item + bounds(field), below
	case field.AdditionalProperties != nil:
		return "map of string to " + field.AdditionalProperties.Schema.Type + bounds(field), nil
	case field.Type == "object":
		return "object", field
	default:
		return field.Type + bounds(field), nil
	}
}

// bounds tells a field's range or size, as in ", 1 to 65535".
func bounds(field *apiextensionsv1.JSONSchemaProps) string {
	switch {
	case field.Minimum != nil && field.Maximum != nil:
		return fmt.Sprintf(", %.0f to %.0f", *field.Minimum, *field.Maximum)
	case field.MaxItems != nil:
		return fmt.Sprintf(", at most %d", *field.MaxItems)
	case field.MaxProperties != nil:
		return fmt.Sprintf(", at most %d", *field.MaxProperties)
	case field.MaxLength != nil:
		return fmt.Sprintf(", at most %d characters", *field.MaxLength)
	}
	return ""
}

func defaultOf(field *apiextensionsv1.JSONSchemaProps) string {
	if field.Default == nil {
		return ""
	}
	if string(field.Default.Raw) == "{}" {
		return ""
	}
	return "`" + strings.Trim(string(field.Default.Raw), `"`) + "`"
}

func refusals(rules apiextensionsv1.ValidationRules) []string {
	messages := make([]string, len(rules))
	for i, rule := range rules {
		messages[i] = rule.Message
	}
	return messages
}

func writeRefusals(page *bytes.Buffer, messages []string) {
	if len(messages) == 0 {
		return
	}
	page.WriteString("\nRefused:\n\n")
	for _, message := range messages {
		fmt.Fprintf(page, "- %s\n", message)
	}
}

// paragraphs joins the lines of each paragraph of a comment; a blank line parts paragraphs.
func paragraphs(text string) string {
	parts := strings.Split(text, "\n\n")
	for i, part := range parts {
		parts[i] = strings.Join(strings.Fields(part), " ")
	}
	return strings.Join(parts, "\n\n")
}

// cell makes a text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(strings.Join(strings.Fields(text), " "))
}

// anchor is the link target that Markdown renderers give a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, heading)
}
