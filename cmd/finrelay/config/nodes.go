package config

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// anchorCollector remembers what each &name stands for.
type anchorCollector map[string]ast.Node

func (a anchorCollector) Visit(n ast.Node) ast.Visitor {
	if anchor, ok := n.(*ast.AnchorNode); ok && anchor.Name != nil && anchor.Value != nil {
		a[anchor.Name.GetToken().Value] = anchor.Value
	}
	return a
}

// resolve follows anchors and aliases to the node they stand for; nil if
// there is none.
func (d *decoder) resolve(node ast.Node) ast.Node {
	for range maxAliases {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.AliasNode:
			target, ok := d.anchors[n.Value.GetToken().Value]
			if !ok {
				t := n.GetToken().Position
				d.problems = append(d.problems, &Error{File: d.source.file, Line: t.Line, Column: t.Column,
					Err: errors.New("no anchor of this name"), Hint: "define it with &NAME further up, or put the value in quotes"})
				return nil
			}
			node = target
		default:
			return node
		}
	}
	return nil
}

// pair is one key of a mapping with its value.
type pair struct {
	name         string
	line, column int
	node         ast.Node
}

// mapping gives the keys of a mapping, those of a merge (<<) last and only
// where the mapping has none of the name itself.
func (d *decoder) mapping(node ast.Node, field, wanted string) ([]pair, bool) {
	pairs := d.pairs(node, 0)
	if pairs == nil {
		d.problem(field, "", "", fmt.Errorf("%s is wanted, this is %s", wanted, kindOf(node)))
		return nil, false
	}
	return pairs, true
}

func (d *decoder) pairs(node ast.Node, depth int) []pair {
	m, ok := node.(ast.MapNode)
	if !ok || depth > maxAliases {
		return nil
	}
	pairs := []pair{}
	var merged []pair
	for iter := m.MapRange(); iter.Next(); {
		key := iter.Key()
		if key.IsMergeKey() {
			for _, from := range mergeSources(d.resolve(iter.Value())) {
				merged = append(merged, d.pairs(d.resolve(from), depth+1)...)
			}
			continue
		}
		t := key.GetToken()
		if mk, ok := key.(*ast.MappingKeyNode); ok && mk.Value != nil { // "? key"
			t = mk.Value.GetToken()
		}
		pairs = append(pairs, pair{t.Value, t.Position.Line, t.Position.Column, iter.Value()})
	}
	for _, p := range merged {
		if !hasPair(pairs, p.name) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

func mergeSources(node ast.Node) []ast.Node {
	if seq, ok := node.(*ast.SequenceNode); ok {
		return seq.Values
	}
	return []ast.Node{node}
}

func hasPair(pairs []pair, name string) bool {
	for _, p := range pairs {
		if p.name == name {
			return true
		}
	}
	return false
}
