package convert

// content reads the content of an element from in[p:], up to and over its end
// tag. Its object begins at out[begin].
func (f *xmlFast) content(sh *xmlShape, out, in []byte, begin, o, p, next int) (int, int, xmlFound) {
	var seen uint64 // declared children
	for {
		for p < len(in) && xmlSpace(in[p]) {
			p++
		}
		k := sh.find(in[p:], next, false)
		if k < 0 {
			if hasPrefix(in[p:], sh.close) {
				return sh.end(out, begin, o, seen), p + len(sh.close), likeRow
			}
			return o, p, sh.lost(in[p:])
		}
		var found xmlFound
		if key := &sh.keys[k]; key.record != nil {
			next = k + 1
			seen |= key.declared
			o, p, found = f.records(key, out, in, o, p)
		} else {
			o, p, next, found = f.texts(sh, out, in, o, p, k)
		}
		if found != likeRow {
			return o, p, found
		}
	}
}

// texts reads the element of text whose key is the kth, and those that follow
// it in the usual order without anything between.
func (f *xmlFast) texts(sh *xmlShape, out, in []byte, o, p, k int) (_, _, next int, _ xmlFound) {
	p += len(sh.keys[k].open)
	for ; ; k++ {
		key := &sh.keys[k]
		o = key.put(out, o)
		if in[p] == '/' {
			out[o] = '"'
			o++
			if p += 2; p > len(in) {
				return o, p, k, shortRow
			}
			if in[p-1] != '>' {
				return o, p, k, otherRow
			}
			return o, p, k + 1, likeRow
		}
		var found xmlFound
		o, p, found = f.value(out, in, o, p+1, '<')
		if found != likeRow {
			return o, p, k, found
		}
		if !hasPrefix(in[p:], key.then) || !tagEnds(in[p+len(key.then):], false) {
			break
		}
		p += len(key.then)
	}
	closing := sh.keys[k].close
	if len(in)-p < len(closing) {
		return o, p, k, shortRow
	}
	if !hasPrefix(in[p:], closing) {
		return o, p, k, otherRow
	}
	return o, p + len(closing), k + 1, likeRow
}

// records reads the records of a name that stand together at in[p:], as an
// array. One without fields is text, unless it is known better: not for here.
func (f *xmlFast) records(key *xmlKey, out, in []byte, o, p int) (int, int, xmlFound) {
	o = key.put(out, o)
	for {
		p += len(key.open)
		if len(out)-o < key.record.room(len(in)-p) {
			return o, p, otherRow
		}
		begin := o
		var found xmlFound
		o, p, found = f.element(key.record, out, in, o, p)
		if found != likeRow {
			return o, p, found
		}
		if o == begin+len("{}") && !key.record.always {
			return o, p, otherRow
		}
		next := p
		for next < len(in) && xmlSpace(in[next]) {
			next++
		}
		if !hasPrefix(in[next:], key.open) || !tagEnds(in[next+len(key.open):], true) {
			out[o] = ']'
			return o + 1, p, likeRow
		}
		out[o] = ','
		o++
		p = next
	}
}

// tagEnds says whether what was read before in is the whole name of a tag, which
// has no attributes if it is of text.
func tagEnds(in []byte, record bool) bool {
	return len(in) > 0 && (in[0] == '>' || in[0] == '/' || record && in[0] == ' ')
}
