"""The mutants of a C source: each is one statement deleted, one condition, return or operator turned round, or one row
of a table emptied.  In: a file's text.  Out: Mutant rows, and a text that holds all of them at once, each asleep behind
MUTANT(number).

A source is read as it stands, before the preprocessor: macros that are used look like calls, what a #define holds is no
statement.  So a mutant is always something that somebody wrote at one place."""
import re
from dataclasses import dataclass

TOKEN = re.compile(r"""
    (?P<skip>\s+|/\*.*?\*/|//[^\n]*|(?m:^)[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<name>(?:[A-Za-z_]\w*)?(?:\#\#\w+)+|[A-Za-z_]\w*(?:\#\#\w+)*)
  | (?P<mark>\.\.\.|<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.X | re.S)
BINARY = [("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"),
          ("*", "/", "%")]
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
TURNED = {"&&": "||", "||": "&&", "==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "+": "-",
          "-": "+", "&": "|", "|": "&"}
TYPES = {"void", "char", "short", "int", "long", "unsigned", "signed", "bool", "struct", "enum", "union", "const",
         "volatile", "static", "register", "typedef", "extern", "__int128"}
# What takes a type, is wanted at compile time, or only says what holds anyway.
OPAQUE = {"sizeof", "offsetof", "__typeof__", "_Alignof", "_Static_assert", "static_assert", "CP_ASSERT", "UNUSED"}


# Functions that, on the host, compare what was kept with what it comes to anew: checks too, and no part of what runs.
CHECKS = re.compile(r"recompute|(^|_)again$|nest_must")


class NotRead(Exception):
    """A construct this reader does not know."""


@dataclass
class Mutant:
    file: str
    function: str
    start: int   # the span in the file's text that changes ...
    end: int
    text: str    # ... and to what
    asleep: str  # the same with the original beside it: {n} its number, {old} what was there
    number: int = 0
    key: str = ""
    line: int = 0
    table: str = ""        # of a row: whose it is, ...
    row: int = 0           # ... the how manieth, ...
    designated: bool = False
    position: int = 0      # ... and where the table ends


def is_type(word):
    return word in TYPES or word.endswith("_t")


def spaces(text):
    return " ".join(re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S).split())


def literal(text):
    return text.replace("{", "{{").replace("}", "}}")


class Reader:
    """Recursive descent over one file; every read_* begins at self.at and leaves it behind what it read."""

    def __init__(self, file, text):
        self.file, self.text, self.mutants, self.function, self.returns = file, text, [], "", ""
        found = [m for m in TOKEN.finditer(text) if m.lastgroup != "skip"]
        self.tokens = [(m.lastgroup, m.group(), m.start(), m.end()) for m in found]
        self.tokens.append(("end", "", len(text), len(text)))
        self.at = 0

    # ---- tokens ---------------------------------------------------------------------

    def word(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def kind(self, ahead=0):
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0]

    def here(self):
        return self.tokens[self.at][2]

    def behind(self):
        return self.tokens[self.at - 1][3]

    def take(self, word):
        if self.word() != word:
            line = self.text.count("\n", 0, self.here()) + 1
            raise NotRead(f"{self.file}:{line}: {word} expected, not {self.word()}")
        self.at += 1

    def skip_balanced(self):
        depth = 0
        while True:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(self.word(), 0)
            self.at += 1
            if depth == 0:
                return
            if self.kind() == "end":
                raise NotRead(f"{self.file}: unbalanced")

    def skip_word(self):
        if self.word() in ("(", "{", "["):
            self.skip_balanced()
        else:
            self.at += 1

    def raw(self, span):
        return self.text[span[0]:span[1]]

    def add(self, span, text, asleep):
        self.mutants.append(Mutant(self.file, self.function, *span, text, asleep))

    def add_value(self, span, text):
        """The value of an expression becomes that of another."""
        self.add(span, text, "(MUTANT({n}) ? (%s) : ({old}))" % literal(text))

    def add_negated(self, node):
        # == and != are turned round as operators
        if node[0] not in ("==", "!=") and self.raw(node[1:]) != "NEST_RECOMPUTES":
            self.add_value(node[1:], f"!({self.raw(node[1:])})")

    # ---- expressions: a node is (what, start, end) --------------------------------------

    def read_expression(self):
        node = self.read_assignment()
        while self.word() == ",":
            self.at += 1
            node = (",", node[1], self.read_assignment()[2])
        return node

    def read_assignment(self, inner=False):
        node = self.read_conditional()
        if self.word() in ASSIGN:
            self.at += 1
            value = self.read_assignment(True)
            if inner:
                self.add_value((node[1], value[2]), self.raw(value[1:]))
            node = ("=" if value[0] != "=" else "==>", node[1], value[2])
        return node

    def read_conditional(self):
        node = self.read_binary(0)
        if self.word() != "?":
            return node
        self.add_negated(node)
        self.at += 1
        self.read_expression()
        self.take(":")
        return ("?", node[1], self.read_conditional()[2])

    def read_binary(self, level):
        if level == len(BINARY):
            return self.read_unary()
        left = self.read_binary(level + 1)
        while self.word() in BINARY[level]:
            mark = self.word()
            self.at += 1
            right = self.read_binary(level + 1)
            if mark in TURNED:
                self.add_value((left[1], right[2]), f"({self.raw(left[1:])}) {TURNED[mark]} ({self.raw(right[1:])})")
            left = (mark, left[1], right[2])
        return left

    def read_unary(self):
        start = self.here()
        if self.word() in ("!", "~", "-", "+", "*", "&", "++", "--"):
            mark = self.word()
            self.at += 1
            return (mark, start, self.read_unary()[2])
        if self.word() == "(" and is_type(self.word(1)):
            self.skip_balanced()
            if self.word() != "{":
                return ("cast", start, self.read_unary()[2])
            self.read_braces()
            return self.read_postfix("literal", start)
        return self.read_primary()

    def read_primary(self):
        start = self.here()
        if self.word() in OPAQUE:
            self.at += 1
            if self.word() != "(":
                return ("opaque", start, self.read_unary()[2])
            self.skip_balanced()
            return ("opaque", start, self.behind())
        if self.word() == "(":
            if self.word(1) == "{":
                self.skip_balanced()
                return self.read_postfix("opaque", start)
            self.at += 1
            self.read_expression()
            self.take(")")
            return self.read_postfix("()", start)
        if self.kind() == "string":
            while self.kind() == "string" or (self.kind() == "name" and self.kind(1) == "string"):
                self.at += 1
            return self.read_postfix("string", start)
        if self.kind() not in ("name", "number"):
            raise NotRead(f"{self.file}:{self.text.count(chr(10), 0, start) + 1}: no expression: {self.word()}")
        self.at += 1
        return self.read_postfix("name", start)

    def read_postfix(self, what, start):
        while True:
            if self.word() == "(":
                self.at += 1
                while self.word() != ")":
                    self.read_assignment()
                    if self.word() == ",":
                        self.at += 1
                self.at += 1
                what = "call"
            elif self.word() == "[":
                self.at += 1
                self.read_expression()
                self.take("]")
            elif self.word() in (".", "->"):
                self.at += 2
            elif self.word() in ("++", "--"):
                self.at += 1
                what = "++"
            else:
                return (what, start, self.behind())

    def read_braces(self):
        """A compound literal or initializer made at run time: a member that is given a value may not be given it."""
        self.take("{")
        while self.word() != "}":
            named = False
            while self.word() in (".", "["):
                named = True
                if self.word() == ".":
                    self.at += 2
                else:
                    self.skip_balanced()
            if named:
                self.take("=")
            if self.word() == "{":
                self.read_braces()
            else:
                node = self.read_assignment()
                if named and self.raw(node[1:]) not in ("0", "false", "NULL"):
                    self.add_value(node[1:], "(__typeof__((0, %s))){0}" % self.raw(node[1:]))
            if self.word() == ",":
                self.at += 1
        self.at += 1

    # ---- statements ---------------------------------------------------------------------

    def read_statement(self):
        start, word = self.here(), self.word()
        if word == "{":
            self.at += 1
            while self.word() != "}":
                self.read_statement()
            self.at += 1
        elif word in ("if", "while", "switch"):
            self.at += 1
            self.take("(")
            node = self.read_expression()
            if word != "switch":
                self.add_negated(node)
            self.take(")")
            self.read_statement()
            if word == "if" and self.word() == "else":
                self.at += 1
                self.read_statement()
        elif word == "for":
            self.read_for()
        elif word == "do":
            self.at += 1
            self.read_statement()
            self.take("while")
            self.take("(")
            self.add_negated(self.read_expression())
            self.take(")")
            self.take(";")
        elif word == "return":
            self.at += 1
            if self.word() != ";":
                self.add_returned(self.read_expression())
            self.take(";")
        elif word in ("break", "continue"):
            self.at += 1
            self.take(";")
            self.add_deleted(start)
        elif word in ("case", "default", "goto"):
            while self.word() not in (":", ";"):
                self.at += 1
            self.at += 1
        elif word == ";":
            self.at += 1
        elif self.kind() == "name" and self.word(1) == ":":
            self.at += 2
        elif is_type(word) or word in ("_Static_assert", "static_assert"):
            self.read_declaration()
        else:
            self.read_simple(start)

    def read_for(self):
        self.at += 1
        self.take("(")
        if is_type(self.word()):
            self.read_declaration()
        elif self.word() != ";":
            self.read_expression()
            self.take(";")
        else:
            self.at += 1
        if self.word() != ";":
            self.add_negated(self.read_expression())
        self.take(";")
        if self.word() != ")":
            self.read_expression()
        self.take(")")
        self.read_statement()

    def read_simple(self, start):
        """An expression for its effect: all of it can be left out, and each part of it."""
        if self.word() in OPAQUE or CHECKS.search(self.word()):
            while self.word() != ";":
                self.at += 1
            self.at += 1
            return
        parts = [self.read_assignment()]
        while self.word() == ",":
            self.at += 1
            parts.append(self.read_assignment())
        self.take(";")
        if parts[0][0] == "cast":  # (void)unused
            return
        for what, first, last in parts:
            old = self.raw((first, last))
            if what == "==>":  # a = b = c: not a
                rest = old.split("=", 1)[1].strip()
                self.add((first, last), rest, "(MUTANT({n}) ? (void)(%s) : (void)({old}))" % literal(rest))
            if len(parts) > 1:
                self.add((first, last), "(void)0", "(MUTANT({n}) ? (void)0 : (void)({old}))")
        if len(parts) == 1:
            self.add_deleted(start)

    def add_deleted(self, start):
        self.add((start, self.behind()), ";", "{{ if (!MUTANT({n})) {old} }}")

    def add_returned(self, node):
        raw = self.raw(node[1:])
        if self.returns == "pointer":
            if raw != "NULL":
                self.add_value(node[1:], "NULL")
        elif self.returns == "number":
            self.add_negated(node)

    def read_declaration(self):
        """Until its semicolon.  What is static has its value before anything runs; of a table the rows count."""
        start, static, name = self.at, False, ""
        while self.word() != ";":
            static = static or self.word() == "static"
            if self.word() in OPAQUE or self.word() == "[":
                self.at += self.word() in OPAQUE
                self.skip_balanced()
            elif self.word() in ("enum", "struct") and "{" in (self.word(1), self.word(2)):
                while self.word() != "{":
                    self.at += 1
                self.skip_balanced()
            elif self.word() != "=":
                name = self.word() if self.kind() == "name" else name
                self.at += 1
            elif static:
                self.read_table(name, self.tokens[self.at - 1][1] == "]")
            else:
                self.at += 1
                if self.word() == "{":
                    self.read_braces()
                else:
                    self.read_assignment()
        self.at += 1
        return start

    def read_table(self, name, is_array):
        self.at += 1
        if self.word() != "{" or not is_array:
            while self.word() not in (";", ","):
                self.skip_word()
            return
        first, end = self.at + 1, self.at
        self.skip_balanced()
        end, self.at = self.at - 1, first
        if "#" in self.text[self.tokens[first][2]:self.tokens[end][2]]:
            self.at = end + 1  # made from another table
            return
        found = []
        while self.at < end:
            begin, designator = self.here(), ""
            while self.at < end and self.word() != ",":
                if self.word() == "=" and not designator:
                    designator = self.text[begin:self.here()] + "= "
                self.skip_word()
            found.append((begin, self.behind(), designator))
            self.at += 1
        self.at = end + 1
        outer = self.function
        for row, (begin, last, designator) in enumerate(found if len(found) > 1 else []):
            self.function = outer or name
            self.mutants.append(Mutant(self.file, self.function, begin, last, designator + "{0}", "", table=name,
                                       row=row, designated=bool(designator), position=self.behind()))
        self.function = outer

    # ---- the file -----------------------------------------------------------------------

    def read_file(self):
        head = self.at
        while self.kind() != "end":
            word = self.word()
            if word == ";":
                self.at += 1
                head = self.at
            elif word == "{" and self.tokens[self.at - 1][1] == ")":
                self.name_function(head)
                before = len(self.mutants)
                self.read_statement()
                if CHECKS.search(self.function):
                    del self.mutants[before:]
                head, self.function = self.at, ""
            elif word == "=":
                words = [token[1] for token in self.tokens[head:self.at]]
                names = [w for w, next_word in zip(words, words[1:] + ["="]) if next_word in ("[", "=")]
                self.read_table(names[0] if names else "", words[-1] == "]")
            elif word in ("{", "(", "["):
                self.skip_balanced()
            else:
                self.at += 1

    def name_function(self, head):
        words = self.tokens[head:self.at]
        paren = next(i for i, token in enumerate(words) if token[1] == "(")
        before = [token[1] for token in words[:paren]]
        self.function = before[-1] if before[-1] != "HOLDS" else words[paren + 1][1]
        if before[-2:-1] == ["*"]:
            self.returns = "pointer"
        elif "void" in before or "struct" in before:
            self.returns = ""
        else:
            self.returns = "number"

    def read_rules(self):
        """check_rules.def: the last argument of each RULE and APPLIES_IF is a condition."""
        text = re.sub(r"(?m)^#define[^\n]*\\\n|\\\n", lambda m: " " * len(m.group()), self.text)
        self.tokens = Reader(self.file, text).tokens
        section = ""
        while self.kind() != "end":
            word = self.word()
            if word == "SECTION":
                section = self.word(2)
            if word not in ("RULE", "APPLIES_IF") or self.word(1) != "(":
                self.at += 1
                continue
            self.function = f"{section} {self.word(2)}" if word == "RULE" else section
            self.at += 2
            for _ in range(2 if word == "RULE" else 0):
                while self.word() != ",":
                    self.at += 1
                self.at += 1
            node = self.read_assignment()
            self.add_negated(node)
            self.add_value(node[1:], "1")
            self.take(")")


def find(file, text):
    """[Mutant] in the order of the text, numbered from 0."""
    reader = Reader(file, text)
    (reader.read_rules if file.endswith(".def") else reader.read_file)()
    seen = {}
    mutants = sorted(reader.mutants, key=lambda m: (m.start, -m.end))
    for number, mutant in enumerate(mutants):
        mutant.number = number
        mutant.line = text.count("\n", 0, mutant.start) + 1
        what = f"{file} {mutant.function}: {spaces(text[mutant.start:mutant.end])} => {spaces(mutant.text)}"
        seen[what] = seen.get(what, 0) + 1
        mutant.key = what + (f" (#{seen[what]})" if seen[what] > 1 else "")
    return mutants


def applied(text, mutant):
    """The file with this mutant alone, line by line where the original has it."""
    gone = text[mutant.start:mutant.end].count("\n") - mutant.text.count("\n")
    return text[:mutant.start] + mutant.text + "\n" * gone + text[mutant.end:]


def asleep(text, mutants, base):
    """The file with all its mutants asleep; their numbers count from base."""
    rows = [m for m in mutants if m.table]

    def plain(start, end):
        out, at = [], start
        for position in sorted({m.position for m in rows if start < m.position <= end}):
            semicolon = text.index(";", position) + 1
            out += [text[at:semicolon], *(emptied(text, m, base) for m in rows if m.position == position)]
            at = semicolon
        return "".join(out) + text[at:end]

    def woven(start, end, rest):
        out, at = [], start
        while rest:
            outer = rest[0]
            inner = [m for m in rest[1:] if m.start < outer.end]
            rest = rest[1 + len(inner):]
            old = woven(outer.start, outer.end, inner)
            out.append(plain(at, outer.start) + outer.asleep.format(n=base + outer.number, old=old))
            at = outer.end
        return "".join(out) + plain(at, end)

    return woven(0, len(text), [m for m in mutants if not m.table])


def emptied(text, mutant, base):
    """Code that empties a row where the table is in scope: in its function, or before main()."""
    number, table = base + mutant.number, mutant.table
    row = " ".join(text[mutant.start:mutant.end].split("\n"))
    place = "" if mutant.designated else f"[{mutant.row}] = "
    code = (f"if (MUTANT({number})) {{ static const __typeof__({table}) only = {{{place}{row}}}; "
            f"mutant_empty((void *){table}, &only, sizeof({table}), sizeof({table}[0])); }}")
    if depth(text, mutant.start) > 1:
        return " " + code
    return f" __attribute__((constructor)) static void mutant_row_{number}(void) {{ {code} }}"


def depth(text, position):
    marks = [m.group() for m in TOKEN.finditer(text, 0, position) if m.lastgroup == "mark"]
    return marks.count("{") - marks.count("}")
