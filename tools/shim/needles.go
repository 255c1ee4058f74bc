package main

// needles finds any of many texts in one pass, however many there are (Aho and Corasick); see src/text/needles.ts.
type needles struct {
	// A tree of the texts' bytes; a node is a number, its children are linked by sibling. 0 is the root.
	code           []byte
	child, sibling []int32
	// Where to go on when no child fits: the node of the longest end of this node's text that is a beginning, too.
	fail []int32
	// Length of the node's text: so much of what was read may be the beginning of a match.
	depth []int32
	// Length of the longest text that ends here; 0 where none does.
	longest []int32
	first   [256]int32
}

func newNeedles(texts []string) *needles {
	tree := &needles{}
	tree.node(0, 0)
	for _, text := range texts {
		tree.insert(text)
	}
	tree.link()
	return tree
}

func (tree *needles) node(code byte, depth int32) int32 {
	tree.code = append(tree.code, code)
	tree.child = append(tree.child, 0)
	tree.sibling = append(tree.sibling, 0)
	tree.fail = append(tree.fail, 0)
	tree.depth = append(tree.depth, depth)
	tree.longest = append(tree.longest, 0)
	return int32(len(tree.code) - 1)
}

func (tree *needles) find(node int32, code byte) int32 {
	if node == 0 {
		return tree.first[code]
	}
	next := tree.child[node]
	for next != 0 && tree.code[next] != code {
		next = tree.sibling[next]
	}
	return next
}

func (tree *needles) insert(text string) {
	node := int32(0)
	for index := 0; index < len(text); index++ {
		next := tree.find(node, text[index])
		if next == 0 {
			next = tree.node(text[index], int32(index+1))
			tree.sibling[next], tree.child[node] = tree.child[node], next
			if node == 0 {
				tree.first[text[index]] = next
			}
		}
		node = next
	}
	if node != 0 {
		tree.longest[node] = int32(len(text))
	}
}

// step is the node after one more byte.
func (tree *needles) step(node int32, code byte) int32 {
	for {
		if next := tree.find(node, code); next != 0 || node == 0 {
			return next
		}
		node = tree.fail[node]
	}
}

// link takes shorter texts first, as a node's link leads to a shorter one.
func (tree *needles) link() {
	var queue []int32
	for node := tree.child[0]; node != 0; node = tree.sibling[node] {
		queue = append(queue, node)
	}
	for at := 0; at < len(queue); at++ {
		parent := queue[at]
		if tree.longest[parent] == 0 {
			tree.longest[parent] = tree.longest[tree.fail[parent]]
		}
		for node := tree.child[parent]; node != 0; node = tree.sibling[node] {
			tree.fail[node] = tree.step(tree.fail[parent], tree.code[node])
			queue = append(queue, node)
		}
	}
}
