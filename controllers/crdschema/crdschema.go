// Package crdschema finds out which fields a CustomResourceDefinition that is older than the operator lacks. It is
// pure.
//
// Paths are written as in status.pods[].node: [] stands for any item of a list, and {} for any value of a map.
package crdschema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// marshaler identifies types that are encoded as a whole, such as times and quantities.
var marshaler = reflect.TypeFor[json.Marshaler]()

// Missing returns, sorted, the fields of object's Go type that the OpenAPI schema lacks, in the given top-level
// fields only. If a field is missing as a whole, the result has that field and not its parts.
func Missing(object any, schema map[string]any, below ...string) []string {
	var missing []string
	properties, _ := schema["properties"].(map[string]any)
	t := reflect.TypeOf(object)
	for _, name := range below {
		f, found := fieldOf(t, name)
		if !found {
			continue
		}
		inner, has := properties[name].(map[string]any)
		if !has {
			missing = append(missing, name)
			continue
		}
		walk(f, inner, name, &missing)
	}
	slices.Sort(missing)
	return missing
}

func walk(t reflect.Type, schema map[string]any, path string, missing *[]string) {
	if open, _ := schema["x-kubernetes-preserve-unknown-fields"].(bool); open {
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler) {
		return
	}
	sub := func(key string) (map[string]any, bool) {
		inner, ok := schema[key].(map[string]any)
		return inner, ok
	}
	switch t.Kind() {
	case reflect.Struct:
		properties, _ := sub("properties")
		for _, f := range fields(t) {
			inner, has := properties[f.name].(map[string]any)
			if !has {
				*missing = append(*missing, path+"."+f.name)
				continue
			}
			walk(f.kind, inner, path+"."+f.name, missing)
		}
	case reflect.Slice, reflect.Array:
		if inner, has := sub("items"); has {
			walk(t.Elem(), inner, path+"[]", missing)
		}
	case reflect.Map:
		if inner, has := sub("additionalProperties"); has {
			walk(t.Elem(), inner, path+"{}", missing)
		}
	}
}

type field struct {
	name string
	kind reflect.Type
}

// fields returns the fields of a struct by their JSON names.
func fields(t reflect.Type) []field {
	var all []field
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			inner := f.Type
			for inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			all = append(all, fields(inner)...)
		case name != "":
			all = append(all, field{name, f.Type})
		}
	}
	return all
}

func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for _, f := range fields(t) {
		if f.name == name {
			return f.kind, true
		}
	}
	return nil, false
}
