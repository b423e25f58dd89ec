"""Small lies about a module: each mutant is its source with one thing changed. Pure.

More than 400 lines: one walk over one tree, and every operator of it in one place.

One thing is: a comparison, a word between two conditions, a `not`, a number, a word, a sign, a member of an
enumeration, an element of a tuple, a keyword of a call, two arguments exchanged, what is returned, a statement, a cell
of the lane's table. Not changed are docstrings, annotations, sentences for people (of faults, in two languages) and
whatever only a type checker reads.
"""

import ast
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_TWINS = {"any": "all", "all": "any", "min": "max", "max": "min"}
_PEELED = frozenset({"abs", "sorted", "round", "shield"})
"""Calls that are taken away from around their only argument."""
_UNTOUCHED = frozenset({"StrEnum", "Protocol"})
"""Classes of bare words, which are names on the wire and held by tests of their own, and of bare shapes."""
_CLEARS = ("_I", "_O", "_C", "_S")
"""How the table of reasons writes who clears one."""
_QUIET = frozenset({"cast", "overload", "TypeVar", "debug", "info", "warning", "error", "exception"})
"""Calls of which nothing is changed: types, and what goes to a log only."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One lie. `key` stays the same while the line it is about does."""

    module: str
    where: str
    """Function or class, dotted."""
    line: int
    operator: str
    before: str
    """The lines it is about, as they are."""
    after: str
    source: str
    number: int = 0
    """Counts lies that would read the same."""

    @property
    def key(self) -> str:
        """A name for a file of arguments."""
        again = f" #{self.number}" if self.number else ""
        return f"{self.module}:{self.where}: {_flat(self.before)} -> {_flat(self.after) or '(nothing)'}{again}"

    def diff(self) -> str:
        """What a reader must see of it."""
        gone = "\n".join(f"- {text}" for text in self.before.splitlines())
        come = "\n".join(f"+ {text}" for text in self.after.splitlines())
        return f"{self.module}:{self.line} in {self.where} ({self.operator})\n{gone}\n{come}"


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def mutants(module: str, source: str, members: dict[str, Sequence[str]]) -> list[Mutant]:
    """Every mutant that compiles, in the order of the file. `members`: enumerations by name, their members in order."""
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    told: set[str] = set()
    for where, line, operator, changed in _Walk(source, members).all():
        if changed == source or changed in told or not _compiles(changed):
            continue
        told.add(changed)
        before, after = _difference(source, changed)
        made = Mutant(module, where, line, operator, before, after, changed)
        again, seen[made.key] = seen[made.key], seen[made.key] + 1
        found.append(Mutant(module, where, line, operator, before, after, changed, again))
    return found


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(one: str, other: str) -> tuple[str, str]:
    a, b = one.splitlines(), other.splitlines()
    gone, come = list[str](), list[str]()
    for tag, i, j, k, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            gone += a[i:j]
            come += b[k:n]
    return "\n".join(gone), "\n".join(come)


Change = tuple[str, int, str, str]
"""Where, line, operator, the whole changed source."""


class _Walk:
    """Over one module's tree; knows where it is, and how to put words in the place of a node."""

    def __init__(self, source: str, members: dict[str, Sequence[str]]) -> None:
        self._source, self._members = source, members
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line.encode()))
        self._raw = source.encode()
        self._place: list[str] = []

    def all(self) -> Iterator[Change]:
        """Every change, compiling or not."""
        yield from self._body(ast.parse(self._source).body)

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _put(self, node: ast.expr | ast.stmt | ast.keyword, words: str, operator: str) -> Change:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        begin, end = self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)
        changed = self._raw[:begin] + words.encode() + self._raw[end:]
        return ".".join(self._place) or "module", node.lineno, operator, changed.decode()

    def _text(self, node: ast.AST) -> str:
        return ast.get_source_segment(self._source, node) or ""

    # statements

    def _body(self, body: Sequence[ast.stmt]) -> Iterator[Change]:
        for node in body:
            yield from self._statement(node)

    def _statement(self, node: ast.stmt) -> Iterator[Change]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from self._definition(node)
                return
            case ast.Import() | ast.ImportFrom() | ast.Pass():
                return
            case ast.Expr(value=ast.Constant()):
                return
            case ast.Assert():
                return  # it tells the type checker what is true; no check of input rests on it
            case ast.Raise():
                yield self._put(node, "pass", "statement")
                return
            case ast.AnnAssign(value=None):
                return
            case _:
                pass
        yield from self._without(node)
        if isinstance(node, ast.AnnAssign):
            assert node.value is not None
            yield from self._expression(node.value)
            return
        for part in ast.iter_child_nodes(node):
            match part:
                case ast.expr():
                    yield from self._expression(part)
                case ast.stmt():
                    yield from self._statement(part)
                case ast.ExceptHandler():
                    yield from self._handler(part)
                case ast.match_case():
                    yield from self._case(part)
                case ast.withitem():
                    yield from self._expression(part.context_expr)
                case _:
                    pass

    def _without(self, node: ast.stmt) -> Iterator[Change]:
        if not self._place:
            return  # the names of a module must be there
        match node:
            case ast.Return(value=value) if value is not None:
                yield from self._returned(node, value)
            case ast.Return() | ast.Continue() | ast.Break() | ast.Delete():
                yield self._put(node, "pass", "statement")
            case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
                return
            case ast.Expr() | ast.AugAssign() | ast.If() | ast.For() | ast.While():
                if not _is_quiet(node):
                    yield self._put(node, "pass", "statement")
            case ast.Assign(targets=[target]) if not isinstance(target, ast.Name) or self._named_before(node, target):
                yield self._put(node, "pass", "statement")
            case ast.AnnAssign() if not isinstance(node.target, ast.Name):
                yield self._put(node, "pass", "statement")
            case _:
                return
        if isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Compare | ast.BoolOp):
            yield self._put(node.test, f"not ({self._text(node.test)})", "condition")

    def _named_before(self, node: ast.stmt, target: ast.Name) -> bool:
        """Without an assignment that is the first of its name there would only be a NameError."""
        before = self._raw[: self._at(node.lineno, 0)].decode()
        scope = before.rfind("\ndef "), before.rfind("\n    def "), before.rfind("\n    async def ")
        return re.search(rf"\b{target.id}\b", before[max(scope) :]) is not None

    def _returned(self, node: ast.Return, value: ast.expr) -> Iterator[Change]:
        match value:
            case ast.Constant(value=bool() as said):
                yield self._put(value, str(not said), "return")
            case ast.Constant(value=None):
                return
            case ast.Tuple(elts=[first, ast.Tuple(elts=[])]):
                yield self._put(first, "lane" if self._text(first) != "lane" else "None", "return")
            case ast.Tuple(elts=[_, *rest]) if rest:
                yield self._put(rest[-1], "()", "return")
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                yield self._put(value, f"not ({self._text(value)})", "return")
            case _:
                yield self._put(value, "None", "return")

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Change]:
        if isinstance(node, ast.ClassDef) and {_name(base) for base in node.bases} & _UNTOUCHED:
            return
        self._place.append(node.name)
        if not isinstance(node, ast.ClassDef):
            for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)):
                yield from self._expression(default)
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call):
                yield from self._expression(decorator)
        yield from self._body(node.body)
        self._place.pop()

    def _handler(self, node: ast.ExceptHandler) -> Iterator[Change]:
        if isinstance(node.type, ast.Tuple):
            yield from self._fewer(node.type, node.type.elts)
        if not (len(node.body) == 1 and isinstance(node.body[0], ast.Raise)):
            yield self._put(node.body[0], "raise", "handler")
        yield from self._body(node.body)

    def _case(self, node: ast.match_case) -> Iterator[Change]:
        if node.guard is not None:
            yield from self._expression(node.guard)
            yield self._put(node.guard, "True", "guard")
        yield from self._body(node.body)

    # expressions

    def _expression(self, node: ast.expr) -> Iterator[Change]:
        if _is_said_twice(node):
            return
        yield from self._itself(node)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _name(node.func) in _QUIET):
            return
        if isinstance(node, ast.Call) and _name(node.func).endswith("Words"):
            for part in node.args:  # its sentences are a person's to judge
                if not isinstance(part, ast.Constant) or not isinstance(part.value, str):
                    yield from self._expression(part)
            return
        if isinstance(node, ast.Subscript):
            yield from self._expression(node.value)
            if isinstance(node.slice, ast.Constant | ast.Slice | ast.UnaryOp | ast.BinOp):
                yield from self._deeper(node.slice)
            return
        yield from self._deeper(node)

    def _deeper(self, node: ast.AST) -> Iterator[Change]:
        if isinstance(node, ast.Constant | ast.UnaryOp):
            if isinstance(node, ast.Constant):
                return
            yield from self._expression(node.operand)
            return
        for part in ast.iter_child_nodes(node):
            match part:
                case ast.expr():
                    yield from self._expression(part)
                case ast.keyword():
                    yield from self._expression(part.value)
                case ast.comprehension():
                    yield from self._expression(part.iter)
                    for test in part.ifs:
                        yield self._put(test, "True", "condition")
                        yield from self._expression(test)
                case _:
                    pass

    def _itself(self, node: ast.expr) -> Iterator[Change]:
        match node:
            case ast.Compare():
                yield from self._compared(node)
            case ast.BoolOp():
                yield from self._joined(node)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield self._put(node, f"({self._text(operand)})", "not")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield self._put(node, f"(+{self._text(operand)})", "sign")
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _SIGNS:
                swapped = ast.BinOp(left=left, op=_SIGNS[type(sign)](), right=right)
                yield self._put(node, f"({ast.unparse(swapped)})", "sign")
            case ast.Constant():
                yield from self._constant(node)
            case ast.JoinedStr():
                yield self._put(node, '""', "word")
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in self._members.get(owner, ()):
                names = self._members[owner]
                yield self._put(node, f"{owner}.{names[(names.index(name) + 1) % len(names)]}", "member")
            case ast.Name(id=name) if name in _CLEARS:
                yield self._put(node, _CLEARS[(_CLEARS.index(name) + 1) % len(_CLEARS)], "member")
            case ast.Name(id=name) if name in _TWINS:
                yield self._put(node, _TWINS[name], "twin")
            case ast.IfExp(test=test):
                yield self._put(test, f"not ({self._text(test)})", "condition")
            case ast.Tuple() | ast.List() | ast.Set():
                yield from self._fewer(node, node.elts)
            case ast.Dict():
                yield from self._fewer_keys(node)
            case ast.Call():
                yield from self._call(node)
            case ast.Await(value=ast.Call()):
                return
            case _:
                return

    def _compared(self, node: ast.Compare) -> Iterator[Change]:
        for at, op in enumerate(node.ops):
            for other in _COMPARED[type(op)]:
                ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
                changed = ast.Compare(left=node.left, ops=ops, comparators=node.comparators)
                yield self._put(node, f"({ast.unparse(changed)})", "comparison")
        if len(node.ops) > 1:
            left, right = self._text(node.left), self._text(node.comparators[-1])
            middle = self._text(node.comparators[0])
            yield self._put(node, f"({left} {_sign(node.ops[0])} {middle})", "comparison")
            yield self._put(node, f"({middle} {_sign(node.ops[-1])} {right})", "comparison")

    def _joined(self, node: ast.BoolOp) -> Iterator[Change]:
        other = " or " if isinstance(node.op, ast.And) else " and "
        texts = [f"({self._text(value)})" for value in node.values]
        yield self._put(node, f"({other.join(texts)})", "junction")
        same = " and " if isinstance(node.op, ast.And) else " or "
        for at in range(len(texts)):
            yield self._put(node, f"({same.join([*texts[:at], *texts[at + 1 :]])})", "junction")

    def _constant(self, node: ast.Constant) -> Iterator[Change]:
        match node.value:
            case bool() as said:
                yield self._put(node, str(not said), "constant")
            case int() as number:
                yield self._put(node, str(number + 1), "constant")
            case float() as number:
                yield self._put(node, repr(number * 1.25 + 0.0625), "constant")
            case str() as text if "\n" in text and " .. " in text:
                yield from self._cells(node)
            case str() as text if not self._text(node).startswith('"""'):
                yield self._put(node, repr(text + "X"), "word")
            case bytes() as raw:
                yield self._put(node, repr(raw + b"X"), "word")
            case _:
                return

    def _cells(self, node: ast.Constant) -> Iterator[Change]:
        """Each cell of the lane's table: a transition is lost, or leads to the place of the next row."""
        assert isinstance(node.value, str)
        words = list(re.finditer(r"\S+", node.value))
        short = [m for m in words if re.fullmatch(r"[A-Z]{2}|\.\.", m[0])]
        known = sorted({m[0] for m in short} - {".."})
        for cell in short:
            other = (
                known[(known.index(cell[0]) + 1) % len(known)] if cell[0] in known else known[cell.start() % len(known)]
            )
            for put in (other, "..") if cell[0] in known else (other,):
                text = node.value[: cell.start()] + put + node.value[cell.end() :]
                yield self._put(node, f'"""{text}"""', "cell")

    def _fewer(self, node: ast.expr, elements: Sequence[ast.expr]) -> Iterator[Change]:
        """Without one of its elements each."""
        if isinstance(getattr(node, "ctx", None), ast.Store) or not elements:
            return
        texts = [self._text(element) for element in elements]
        for at in range(len(texts)):
            rest = [*texts[:at], *texts[at + 1 :]]
            match node:
                case ast.Tuple():
                    words = f"({', '.join(rest)}{',' if len(rest) == 1 else ''})"
                case ast.List():
                    words = f"[{', '.join(rest)}]"
                case _:
                    words = f"{{{', '.join(rest)}}}" if rest else "set()"
            yield self._put(node, words, "element")

    def _fewer_keys(self, node: ast.Dict) -> Iterator[Change]:
        pairs = [
            f"**{self._text(value)}" if key is None else f"{self._text(key)}: {self._text(value)}"
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        for at in range(len(pairs)):
            yield self._put(node, f"{{{', '.join([*pairs[:at], *pairs[at + 1 :]])}}}", "element")

    def _call(self, node: ast.Call) -> Iterator[Change]:
        name = _name(node.func)
        if name in _QUIET:
            return
        function = self._text(node.func)
        args = [self._text(arg) for arg in node.args]
        words = [
            f"**{self._text(k.value)}" if k.arg is None else f"{k.arg}={self._text(k.value)}" for k in node.keywords
        ]
        for at in range(len(words)):
            rest = [*words[:at], *words[at + 1 :]]
            yield self._put(node, f"{function}({', '.join([*args, *rest])})", "keyword")
        for at, (one, other) in enumerate(pairwise(node.args)):
            if name not in _TWINS and _simple(one) and _simple(other) and args[at] != args[at + 1]:
                turned = [*args[:at], args[at + 1], args[at], *args[at + 2 :]]
                yield self._put(node, f"{function}({', '.join([*turned, *words])})", "arguments")
        if name in _PEELED and len(args) == 1:
            yield self._put(node, f"({args[0]})", "peeled")


def _sign(op: ast.cmpop) -> str:
    whole = ast.unparse(ast.Compare(left=ast.Name("a"), ops=[op], comparators=[ast.Name("b")]))
    return whole[1:-1].strip()


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_quiet(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _name(node.value.func) in _QUIET


def _is_said_twice(node: ast.expr) -> bool:
    """A sentence in Chinese and in English: a person's to judge."""
    match node:
        case ast.Tuple(elts=[ast.Constant(value=str() as zh), ast.Constant(value=str())]):
            return any("\u4e00" <= char <= "\u9fff" for char in zh)
        case _:
            return False


def _simple(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)
