package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// types are the package's documented types by name.
type types map[string]*doc.Type

func load(directory string) (types, error) {
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		return nil, err
	}
	files, set := []*ast.File{}, token.NewFileSet()
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(set, files, "config")
	if err != nil {
		return nil, err
	}
	found := types{}
	for _, t := range pkg.Types {
		found[t.Name] = t
	}
	return found, nil
}

// structure returns the fields of a struct type; ok is false for another type.
func (t types) structure(name string) (*ast.StructType, bool) {
	one := t[name]
	if one == nil {
		return nil, false
	}
	structure, ok := one.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
	return structure, ok
}

// write writes a section about a struct type, then one about each struct below it. The path is where
// it stands in the file.
func (t types) write(page *bytes.Buffer, name, path string) error {
	structure, ok := t.structure(name)
	if !ok {
		return fmt.Errorf("%s is not a struct type of the package", name)
	}
	heading := path
	if heading == "" {
		heading = "The file"
	}
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n| field | type | |\n| --- | --- | --- |\n", heading, text(t[name].Doc))
	type child struct{ name, path string }
	var children []child
	for _, field := range structure.Fields.List {
		key := keyOf(field)
		if key == "" {
			continue
		}
		where := strings.TrimPrefix(path+"."+key, ".")
		kind, below := t.kind(field.Type)
		if below != "" {
			if strings.HasPrefix(kind, "list") {
				where += "[]"
			}
			children = append(children, child{below, where})
		}
		description := text(field.Doc.Text())
		if one := t[typeName(field.Type)]; description == "" && one != nil {
			description = text(one.Doc)
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", key, kind, strings.ReplaceAll(description, "|", `\|`))
	}
	for _, c := range children {
		if err := t.write(page, c.name, c.path); err != nil {
			return err
		}
	}
	return nil
}

// keyOf is the field's key in the file; empty if it has none.
func keyOf(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	tag, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	key, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
	if key == "-" {
		return ""
	}
	return key
}

// kind describes a field's type, and names the struct type that a section of its own describes.
func (t types) kind(expression ast.Expr) (text, below string) {
	switch e := expression.(type) {
	case *ast.StarExpr:
		return t.kind(e.X)
	case *ast.ArrayType:
		item, below := t.kind(e.Elt)
		return "list of " + item, below
	case *ast.Ident:
		if values := t.values(e.Name); len(values) > 0 {
			return strings.Join(values, ", "), ""
		}
		if structure, ok := t.structure(e.Name); ok && hasKeys(structure) {
			return "section", e.Name
		}
		return plain(e.Name), ""
	}
	return "text", ""
}

// hasKeys reports whether the struct has fields of its own in the file, and not a text form.
func hasKeys(structure *ast.StructType) bool {
	for _, field := range structure.Fields.List {
		if keyOf(field) != "" {
			return true
		}
	}
	return false
}

// plain is the usual word for a type that is no section.
func plain(name string) string {
	switch {
	case name == "bool":
		return "true or false"
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"):
		return "number"
	case name == "Duration":
		return "duration"
	case name == "PortSet":
		return "ports, as 30000-30009,30020"
	case name == "Network":
		return "network"
	}
	return "text"
}

// values are those of a type that has constants.
func (t types) values(name string) []string {
	one := t[name]
	if one == nil {
		return nil
	}
	var values []string
	for _, group := range one.Consts {
		for _, spec := range group.Decl.Specs {
			for _, value := range spec.(*ast.ValueSpec).Values {
				if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					values = append(values, "`"+strings.Trim(literal.Value, `"`)+"`")
				}
			}
		}
	}
	return values
}

func typeName(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// text joins the lines of a comment.
func text(comment string) string { return strings.Join(strings.Fields(comment), " ") }
