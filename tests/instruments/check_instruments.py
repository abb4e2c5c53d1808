#!/usr/bin/env python3
"""Checks every instrument against docs/formats.md, with the standard library only.

    tests/instruments/check_instruments.py [INSTRUMENTS [DATA]]

DATA holds real files that are not part of the project (default: data in $SUHA_SHARED, else in ../shared beside the project). Where it is
missing, the checks that need it are skipped and say so. Prints problems, then `N passed, N failed`: files passed, checks failed.
The mapping interpreter below is deliberately naive: a second opinion on the C engine, not a tool.
"""
import collections, csv, functools, json, os, re, sys, unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, '..', '..', 'instruments')
DATA = sys.argv[2] if len(sys.argv) > 2 else os.path.join(
    os.environ.get('SUHA_SHARED', os.path.join(HERE, '..', '..', '..', 'shared')), 'data')

FIELDS = {'ctdc-v6': 62, 'ctdc-2024': 27, 'ctdc-2025-flags': 19, 'htcds-2.0': 84, 'ctdc-vp-2022': 17, 'uk-nrm': 18, 'dtm-fms': 31, 'c17k': 26, 'c50k': 26, 'c206k': 26, 'nb6k': 10, 'm1x40': 40, 'adult': 14}
DOMAINS = {'c17k': [21, 4, 9, 60, 4, 60] + [1] * 20, 'c50k': [21, 4, 9, 60, 4, 60] + [1] * 20, 'c206k': [21, 4, 9, 60, 4, 60] + [1] * 20,
           'nb6k': [2, 6, 10] + [1] * 7, 'm1x40': [20, 9, 50, 50] + [1] * 36}
LIST_COLUMNS = 'code label_en label_fr label_es label_ar aliases parent min max valid_from valid_to note'.split()
EXTRA_COLUMNS = {'iso-3166-1': ['alpha2', 'm49', 'region', 'subregion'], 'iso-639-2': ['alpha2', 'bibliographic']}
MAP_COLUMNS = 'source_column source_value target_column target_value rule coverage note'.split()
RULES = 'rename value or coalesce band year split constant drop weight record margin'.split()
REASONS = {'?unknown': 'unknown', '?refused': 'refused', '?not-applicable': 'not applicable', '?negative': 'negative'}
MISSING = {'not recorded', 'unknown', 'refused', 'not applicable', 'suppressed', 'negative'}
TYPES = {'code': {'string'}, 'code-set': {'string'}, 'flag': {'integer', 'boolean'}, 'year': {'year', 'integer'}, 'integer': {'integer'},
         'date': {'date'}, 'text': {'string'}}
FIELD_KEYS = {'name', 'title', 'description', 'type', 'constraints', 'missingValues'} | {
    'suha:' + k for k in ('titles', 'type', 'role', 'privacy', 'codelist', 'group', 'aliases', 'separator', 'negative')}

passed = failed = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print('FAIL', what)
    return ok


@functools.lru_cache(maxsize=None)
def fold(s):
    s = unicodedata.normalize('NFKC', unicodedata.normalize('NFKC', s).casefold())
    s = ''.join('-' if unicodedata.category(c) == 'Pd' or c == '\u2212' else c for c in s)
    s = re.sub(r'\s+', ' ', s)
    return re.sub(r'-+', '-', re.sub(r' ?-+ ?', '-', s)).strip()


def rows_of(path, columns, extra=(), bom=False):
    raw = open(path, 'rb').read()
    rel = os.path.relpath(path, ROOT)
    check(not raw.startswith(b'\xef\xbb\xbf') or bom, rel + ': byte order mark')
    try:
        text = raw.decode('utf-8-sig')
    except UnicodeDecodeError as e:
        check(False, f'{rel}: {e}')
        return []
    table = list(csv.reader(text.splitlines(True)))
    head = table[0] if table else []
    check(set(head) <= set(columns) | set(extra) and len(set(head)) == len(head), f'{rel}: header {head}')
    bad = [i for i, r in enumerate(table[1:], 2) if len(r) != len(head)]
    check(not bad, f'{rel}: lines with a wrong number of cells: {bad[:5]}')
    return [dict(zip(head, r)) for r in table[1:]]


class Codelist:
    def __init__(self, path):
        self.id = os.path.basename(path)[:-4]
        self.rel = os.path.relpath(path, ROOT)
        self.rows = rows_of(path, LIST_COLUMNS, EXTRA_COLUMNS.get(self.id, ()))
        self.codes = [r['code'] for r in self.rows]
        self.keys = {}
        clash = []
        for r in self.rows:
            labels = [r.get('label_' + l, '') for l in ('en', 'fr', 'es', 'ar')]
            for k in [r['code']] + labels + r.get('aliases', '').split('|'):
                if k.strip() and self.keys.setdefault(fold(k), r['code']) != r['code']:
                    clash.append((k, r['code'], self.keys[fold(k)]))
        check(not clash, f'{self.rel}: two codes fold to one key: {clash[:5]}')
        check(len(set(self.codes)) == len(self.codes) > 0, self.rel + ': codes repeat or list is empty')
        check(all(c and c == c.strip() for c in self.codes) and all(r.get('label_en') for r in self.rows), self.rel + ': empty code or label_en')
        cells = [v for r in self.rows for v in r.values()]
        check(not any('\n' in v or '\r' in v or '\ufffd' in v for v in cells), self.rel + ': line break or broken character in a cell')
        try:
            self.bands = [(r['code'], int(r['min']) if r['min'] else None, int(r['max']) if r['max'] else None) for r in self.rows
                          if r.get('min') or r.get('max')]
        except ValueError as e:
            self.bands = []
            check(False, f'{self.rel}: {e}')
        last = None
        for code, lo, hi in self.bands if self.id != 'age-group' else []:
            if last is not None and lo is not None:
                check(lo == last + 1, f'{self.rel}: gap or overlap before {code}')
            last = hi

    def find(self, cell):
        return self.keys.get(fold(cell))

    def band(self, n):
        for code, lo, hi in self.bands:
            if (lo is None or n >= lo) and (hi is None or n <= hi):
                return code
        return None


class Schema:
    def __init__(self, folder, lists):
        self.folder, self.shared = folder, lists
        self.name = os.path.basename(folder)
        self.own = {}
        d = os.path.join(folder, 'codelists')
        for f in sorted(os.listdir(d)) if os.path.isdir(d) else []:
            check(f.endswith('.csv'), f'{self.name}: {f} is not a codelist')
            self.own[f[:-4]] = Codelist(os.path.join(d, f))
        try:
            self.json = json.load(open(os.path.join(folder, 'schema.json'), encoding='utf-8'))
        except (OSError, ValueError) as e:
            check(False, f'{self.name}: schema.json: {e}')
            self.json = {'fields': []}
            return
        s, n = self.json, self.name
        check(s.get('name') == n and s.get('title') and s.get('description') and s.get('version'), n + ': name, title, description or version')
        check(s.get('$schema', '').endswith('tableschema.json') and isinstance(s.get('suha:sources'), list), n + ': $schema or suha:sources')
        groups = {g['name'] for g in s.get('suha:groups', [])}
        self.fields = {f['name']: f for f in s['fields']}
        names = [f['name'] for f in s['fields']]
        check(len(set(names)) == len(names), n + ': field names repeat')
        if n in FIELDS:
            check(len(names) == FIELDS[n], f'{n}: {len(names)} fields, not {FIELDS[n]}')
        every = collections.Counter(fold(a) for f in s['fields'] for a in [f['name']] + f.get('suha:aliases', []))
        # two spellings of one field that differ only in case are fine
        for f in s['fields']:
            every.subtract(collections.Counter([fold(a) for a in f.get('suha:aliases', []) if fold(a) == fold(f['name'])]))
        dup = {fold(f['name']): sum(fold(a) == fold(f['name']) for a in f.get('suha:aliases', [])) for f in s['fields']}
        check(all(v <= 1 or k in dup for k, v in every.items()), f'{n}: a column name belongs to two fields: {[k for k, v in every.items() if v > 1]}')
        for f in s['fields']:
            w = f'{n}.{f["name"]}'
            t = f.get('suha:type')
            check(set(f) <= FIELD_KEYS, f'{w}: keys {set(f) - FIELD_KEYS}')
            check(t in TYPES and f.get('type') in TYPES[t], f'{w}: types {f.get("type")} / {t}')
            check(f.get('suha:role') in ('identifier', 'quasi-identifier', 'sensitive', 'attribute'), f'{w}: role')
            check(f.get('suha:privacy', 'vault') in ('release', 'vault'), f'{w}: privacy')
            check(f.get('title'), f'{w}: title')
            check('suha:group' not in f or f['suha:group'] in groups, f'{w}: group {f.get("suha:group")}')
            mv = f.get('missingValues', s.get('missingValues', []))
            check(all(set(m) == {'value', 'label'} and m['label'] in MISSING for m in mv), f'{w}: missingValues')
            check(len({m['value'] for m in mv}) == len(mv), f'{w}: a missing value repeats')
            if t in ('code', 'code-set', 'flag'):
                l = self.codelist(f)
                if check(l is not None, f'{w}: no codelist {f.get("suha:codelist")}'):
                    hit = [m['value'] for m in mv if l.find(m['value'])]
                    check(not hit, f'{w}: missing values that are also codes: {hit}')
                    if t == 'code-set':
                        sep = f.get('suha:separator', ';')
                        check(not any(c in code for c in sep for code in l.codes), f'{w}: a code holds a separator')
                    if 'suha:negative' in f:
                        check(f['suha:negative'] in l.codes, f'{w}: suha:negative')
            c = f.get('constraints', {})
            if t == 'year':
                check(isinstance(c.get('minimum'), int) and c.get('minimum') <= c.get('maximum', -1), f'{w}: a year needs minimum and maximum')
            if 'pattern' in c:
                re.compile(c['pattern'])
        for l in self.own.values():
            self.check_parents(l)
            check(any(f.get('suha:codelist') == l.id for f in s['fields']), f'{l.rel}: used by no field')
        if n in DOMAINS:
            check([len(self.codelist(f).codes) for f in s['fields']] == DOMAINS[n], n + ': size of the domain')
        check(os.path.isfile(os.path.join(folder, 'README.md')), n + ': no README.md')

    def codelist(self, f):
        i = f.get('suha:codelist')
        return self.own.get(i) or self.shared.get(i)

    def check_parents(self, l):
        for r in l.rows:
            if r.get('parent'):
                m = re.search(r'parent-list:(\S+)', r.get('note', ''))
                up = (self.own.get(m[1]) or self.shared.get(m[1])) if m else l
                if not check(up and r['parent'] in up.codes, f'{l.rel}: parent {r["parent"]} of {r["code"]}'):
                    break

    def missing(self, f, cell):
        for m in f.get('missingValues', self.json.get('missingValues', [])):
            if m['value'] == cell.strip():
                return m['label']
        return 'not recorded' if cell.strip() == '' else None

    def lookup(self, f, cell):
        """-> value, or ('?', reason), or None when the cell means nothing here"""
        r = self.missing(f, cell)
        if r:
            return ('?', r)
        t = f['suha:type']
        if t in ('code', 'code-set', 'flag') and not self.codelist(f):
            return None
        if t in ('code', 'flag'):
            return self.codelist(f).find(cell)
        if t == 'code-set':
            parts = [p for p in re.split('[' + re.escape(f.get('suha:separator', ';')) + ']', cell) if p.strip()]
            codes = [self.codelist(f).find(p) for p in parts]
            return None if None in codes else tuple(sorted(set(codes)))
        if t in ('year', 'integer'):
            if not re.fullmatch(r'\d+', cell.strip()):
                return None
            c = f.get('constraints', {})
            v = int(cell)
            return v if c.get('minimum', v) <= v <= c.get('maximum', v) else None
        return cell


class Mapping:
    def __init__(self, path, schema, schemas):
        self.rel, self.schema = os.path.relpath(path, ROOT), schema
        self.rows = rows_of(path, MAP_COLUMNS, bom=True)
        m = re.fullmatch(r'from-(.+)\.csv', os.path.basename(path))
        source = schemas.get(m[1]) if m else None
        check(not m or source, self.rel + ': unknown source schema')
        cells, kinds = set(), collections.defaultdict(set)
        for i, r in enumerate(self.rows, 2):
            w = f'{self.rel}:{i}'
            rule, sc, sv, tc, tv = r['rule'], r['source_column'], r['source_value'], r['target_column'], r['target_value']
            check(rule in RULES and r['coverage'] in ('exact', 'partial', 'none'), f'{w}: rule or coverage')
            check(bool(sc) != (rule == 'constant'), f'{w}: source_column')
            f = schema.fields.get(tc)
            if rule in ('drop', 'weight', 'record', 'margin') or rule == 'split' and not tc:
                check(not tc and not tv, f'{w}: {rule} takes no target')
            elif not check(f, f'{w}: no column {tc}'):
                continue
            if rule in ('value', 'constant') and tv and not tv.startswith('?'):
                check(schema.lookup(f, tv) is not None, f'{w}: {tv!r} is not in {tc}')
            if tv.startswith('?'):
                check(tv in REASONS, f'{w}: reason {tv}')
            if rule == 'or':
                check(f['suha:type'] == 'flag' and tv in ('', 'known-negative'), f'{w}: or needs a flag and known-negative or nothing')
            if rule == 'band':
                check(schema.codelist(f) and schema.codelist(f).bands, f'{w}: no bands')
            if rule == 'year':
                check(f['suha:type'] == 'year', f'{w}: target is no year')
            if rule in ('value', 'margin'):
                check(sv != '', f'{w}: needs a source_value')
            if rule in ('rename', 'band', 'year', 'record', 'weight', 'coalesce'):
                check(sv == '' and tv == '', f'{w}: {rule} takes no values')
            k = (sc, fold(sv), tc, rule == 'split')
            check(k not in cells, f'{w}: two rules for one cell')
            cells.add(k)
            if tc:
                kinds[tc].add((rule, sc if rule not in ('or', 'coalesce') else ''))
            if source and sc and not sc.startswith('@'):
                g = source.fields.get(sc)
                if check(g, f'{w}: {source.name} has no column {sc}') and sv and rule != 'split':
                    check(source.codelist(g) and source.codelist(g).find(sv), f'{w}: {sv!r} is not in {source.name}.{sc}')
        for tc, k in kinds.items():
            ok = len(k) == 1 or {x[0] for x in k} <= {'rename', 'value'} and len({x[1] for x in k}) == 1
            check(ok, f'{self.rel}: {tc}: two rules for one cell: {sorted(k)}')
        dropped = {r['source_column'] for r in self.rows if r['rule'] == 'drop' and not r['source_value']}
        nowhere = {(r['source_column'], fold(r['source_value'])) for r in self.rows if r['rule'] == 'drop' and r['source_value']}
        listed = {(r['source_column'], fold(r['source_value'])) for r in self.rows if r['rule'] in ('value', 'or', 'margin')}
        check(not nowhere & listed, f'{self.rel}: dropped and given a meaning: {nowhere & listed}')
        used = {r['source_column'] for r in self.rows if r['rule'] != 'drop'}
        check(not dropped & used, f'{self.rel}: dropped and used: {dropped & used}')
        if source:
            check(not set(source.fields) - dropped - used, f'{self.rel}: nothing said about {sorted(set(source.fields) - dropped - used)}')

    def columns(self):
        return {r['source_column'] for r in self.rows if r['source_column']}

    def apply(self, table):
        """naive: every rule by the letter of docs/formats.md -> (weight, record) pairs, unmapped, excluded"""
        S, unmapped, excluded, out = self.schema, collections.Counter(), collections.Counter(), []
        flag = S.shared['flag']
        splits = {r['source_column']: r['source_value'] or ';' for r in self.rows if r['rule'] == 'split'}
        by = collections.defaultdict(list)
        for r in self.rows:
            if r['target_column']:
                by[r['target_column']].append(r)
        margins = [(r['source_column'], fold(r['source_value'])) for r in self.rows if r['rule'] == 'margin']
        weight = next((r['source_column'] for r in self.rows if r['rule'] == 'weight'), None)
        known = collections.defaultdict(set)
        for r in self.rows:
            if r['source_value'] and r['rule'] in ('value', 'or', 'drop'):
                known[r['source_column']].add(fold(r['source_value']))

        def members(col, cell):
            return [p for p in re.split('[' + re.escape(splits[col]) + ']', cell) if p.strip()]
        nowhere = {(r['source_column'], fold(r['source_value'])) for r in self.rows if r['rule'] == 'drop' and r['source_value']}
        for row in table:
            row = {c: '' if (c, fold(v)) in nowhere else v for c, v in row.items()}
            hit = [c for c, v in margins if fold(row[c]) == v]
            if hit:
                excluded[hit[0]] += 1
                continue
            rec = {}
            for tc, f in S.fields.items():
                rules = by.get(tc)
                if not rules:
                    continue
                rule = rules[0]['rule'] if rules[0]['rule'] not in ('rename', 'value') else 'rename'
                if rule == 'constant':
                    rec[tc] = S.lookup(f, rules[0]['target_value'])
                elif rule == 'rename':
                    col = rules[0]['source_column']
                    cell, v, done = row[col], None, False
                    values = {fold(r['source_value']): r['target_value'] for r in rules if r['rule'] == 'value'}
                    tests = members(col, cell) if col in splits else [cell]
                    for t in tests:
                        k = fold(t)
                        tv = values.get(k, values.get('*') if cell.strip() else None)
                        if tv is not None:
                            v = ('?', REASONS[tv]) if tv in REASONS else S.lookup(f, tv) if tv else ('?', 'not recorded')
                            done = True
                            break
                    if not done and any(r['rule'] == 'rename' for r in rules):
                        v = S.lookup(f, cell)
                    elif not done:
                        m = S.missing(f, cell)
                        v = ('?', m) if m else None
                    if v is None:
                        unmapped[(col, cell)] += 1
                    rec[tc] = v
                elif rule == 'or':
                    yes = no = False
                    for r in rules:
                        col, cell = r['source_column'], row[r['source_column']]
                        tests = [fold(t) for t in members(col, cell)] if col in splits else [fold(cell)]
                        if r['source_value']:
                            yes = yes or fold(r['source_value']) in tests
                            for t in tests if cell.strip() and not S.missing(f, cell) else []:
                                if t not in known[col]:
                                    unmapped[(col, t)] += 1
                        else:
                            k = flag.find(cell)
                            yes, no = yes or k == '1', no or k == '0'
                            if k is None and not S.missing(f, cell):
                                unmapped[(col, cell)] += 1
                    if yes:
                        rec[tc] = '1'
                    else:
                        rec[tc] = ('?', 'negative') if no and rules[0]['target_value'] else ('?', 'not recorded')
                elif rule == 'band':
                    cell = row[rules[0]['source_column']]
                    m = S.missing(f, cell)
                    v = ('?', m) if m else S.codelist(f).band(int(cell)) if re.fullmatch(r'\d+', cell.strip()) else None
                    if v is None:
                        unmapped[(rules[0]['source_column'], cell)] += 1
                    rec[tc] = v
                elif rule == 'year':
                    m = re.match(r'(\d{4})-\d\d-\d\d', row[rules[0]['source_column']])
                    rec[tc] = S.lookup(f, m[1]) if m else None
                elif rule == 'split':
                    col = rules[0]['source_column']
                    codes = {p: S.codelist(f).find(p) for p in members(col, row[col])}
                    for p, c in codes.items():
                        if c is None:
                            unmapped[(col, p)] += 1
                    rec[tc] = tuple(sorted(c for c in codes.values() if c))
            out.append((int(row[weight]) if weight else 1, rec))
        return out, unmapped, excluded


def read(*path):
    with open(os.path.join(DATA, *path), encoding='utf-8-sig', newline='') as f:
        return list(csv.DictReader(f))


def table_of(out, *cols):
    t = collections.Counter()
    for w, r in out:
        t[tuple('' if isinstance(r.get(c), tuple) or r.get(c) is None else r[c] for c in cols)] += w
    return t


def real_files(maps):
    if not os.path.isdir(DATA):
        print(f'SKIP checks with real files: no folder {DATA}')
        return
    def run(folder, mapping, *path, allowed=()):
        t = read(*path)
        m = maps[folder, mapping]
        missing = m.columns() - set(t[0])
        check(not missing, f'{m.rel}: columns not in {path[-1]}: {missing}')
        silent = set(t[0]) - m.columns() - {''}
        check(not silent, f'{m.rel}: nothing said about columns {silent} of {path[-1]}')
        out, un, ex = m.apply(t)
        un = {k: v for k, v in un.items() if k not in allowed}
        check(not un, f'{m.rel}: unmapped in {path[-1]}: {sorted(un.items(), key=lambda x: -x[1])[:8]}')
        return t, out, ex
    key = ('gender', 'ageBroad', 'citizenship')
    _, j, _ = run('ctdc-v6', 'ctdc2020-joined', 'ctdc', 'ctdc2020_joined_48801x12.csv')
    _, a, _ = run('ctdc-v6', 'copy-a', 'ctdc', 'clear_48801x10.csv')
    _, b, _ = run('ctdc-v6', 'copy-b', 'ctdc', 'dados_app.csv')
    _, c, _ = run('ctdc-v6', 'copy-c', 'ctdc', 'trafficking_cleaned_14299.csv')
    a18 = [x for x in a if x[1]['yearOfRegistration'] != 2019]
    check(len(a) - len(a18) == 28, 'copy A: not 28 rows of 2019')
    check(table_of(a, *key) == table_of(j, *key), 'copy A and the joined file differ in gender x age x citizenship')
    check(table_of(a18, *key) == table_of(b, *key), 'copies A and B differ in gender x age x citizenship')
    both = ('yearOfRegistration', 'gender', 'ageBroad', 'citizenship', 'isForcedLabour')
    check(table_of(a18, *both) == table_of(b, *both), 'copies A and B differ in year x gender x age x citizenship x forced labour')
    full = both[:1] + ('datasource',) + both[1:4]
    ta, tc = table_of(a, *full), table_of(c, *full)
    over = tc - ta
    check(not over, f'copy C has rows that copy A has not: {sum(over.values())}: {over.most_common(4)}')
    print(f'note: joined {len(j)}, A {len(a)}, B {len(b)}, C {len(c)} rows; '
          f'cells of gender x age x citizenship: A {len(table_of(a, *key))}, A without 2019 = B {len(table_of(b, *key))}, C {len(table_of(c, *key))}')
    eq = [k for k in tc if tc[k] == ta[k]]
    print(f'note: copy C is a subset of A: {len(tc)} cells of year x source x gender x age x citizenship, {len(eq)} of them complete '
          f'({sum(tc[k] for k in eq)} rows)')
    run('ctdc-v6', 'copy-d', 'ctdc', 'sample_raw_schema.csv')
    _, d, ex = run('ctdc-v6', 'copy-d-mrm', 'ctdc', 'sample_raw_schema_mrm.csv')
    check(len(d) == 104 and ex['was_trafficked'] == 104, 'copy D (mrm): 104 persons and 104 controls')
    _, leaf, _ = run('uk-nrm', 'nrm-leaf', 'nrm', 'nrm_leaf_2022q2_2023q4.csv')
    _, cube, ex = run('uk-nrm', 'nrm-cube', 'nrm', 'nrm_cube_with_margins_2023q4_nonzero.csv')
    nrm = ('firstResponder', 'gender', 'majorityStatusAtExploit', 'citizenship', 'otherCitizenship', 'isLabour', 'isSexual', 'isCriminal', 'isDomestic',
           'isOrganHarvesting', 'isExploitationNotSpecified')
    check(sum(w for w, _ in leaf) == 30197, 'NRM leaves: people')
    check(sum(w for w, _ in cube) == 4141, f'NRM cube: {sum(w for w, _ in cube)} people, not 4,141')
    q4 = [x for x in leaf if x[1]['quarter'] == '2023-Q4']
    check(table_of(q4, *nrm) == table_of(cube, *nrm), 'NRM cube without its margins differs from the leaves of 2023-Q4')
    none = [r for _, r in leaf if not any(r[k] == '1' for k in nrm[5:])]
    check(not none, f'NRM: {len(none)} leaves without any exploitation flag')


def main():
    lists = {}
    d = os.path.join(ROOT, 'codelists')
    for f in sorted(os.listdir(d)):
        if f.endswith('.csv'):
            lists[f[:-4]] = Codelist(os.path.join(d, f))
    shared = Schema.__new__(Schema)
    shared.own, shared.shared = {}, lists
    for l in lists.values():
        shared.check_parents(l)
    iso = lists['iso-3166-1']
    for cell, code in {'NA': 'NAM', 'na': 'NAM', '516': 'NAM', 'Ivory Coast': 'CIV', "Côte d'Ivoire": 'CIV', 'Côte d’Ivoire': 'CIV', 'Russia': 'RUS', 'UK': 'GBR',
                       'USA': 'USA', 'South Korea': 'KOR', 'DR Congo': 'COD', 'Congo [DRC]': 'COD', 'Congo': 'COG', 'Swaziland': 'SWZ', 'Macedonia': 'MKD',
                       'Burma': 'MMR', 'Viet Nam': 'VNM', 'Vietnam': 'VNM', 'Moldova': 'MDA', 'Palestine': 'PSE', 'Kosovo': 'XKX', '4': 'AFG', '004': 'AFG',
                       'RDC': 'COD', 'Birmanie': 'MMR', "Cote d'Ivoire": 'CIV', 'أوكرانيا': 'UKR'}.items():
        check(iso.find(cell) == code, f'iso-3166-1: {cell} -> {iso.find(cell)}, not {code}')
    check(len(iso.codes) == 250 and sum(c != 'XKX' for c in iso.codes) == 249, 'iso-3166-1: 249 codes and XKX')
    check(lists['flag'].codes == ['1', '0'] and lists['flag-present'].codes == ['1'], 'flag lists')
    check(lists['isic-rev4'].codes == list('ABCDEFGHIJKLMNOPQRSTU'), 'isic-rev4: sections A to U')
    schemas = {}
    for n in sorted(os.listdir(ROOT)):
        if n != 'codelists' and os.path.isdir(os.path.join(ROOT, n)):
            schemas[n] = Schema(os.path.join(ROOT, n), lists)
    maps = {}
    for n, s in schemas.items():
        d = os.path.join(ROOT, n, 'mappings')
        for f in sorted(os.listdir(d)) if os.path.isdir(d) else []:
            if f.endswith('.csv'):
                maps[n, f[:-4]] = Mapping(os.path.join(d, f), s, schemas)
    real_files(maps)
    print(f'note: {len(schemas)} instruments, {len(lists)} shared codelists with {sum(len(l.codes) for l in lists.values())} codes, '
          f'{sum(len(s.own) for s in schemas.values())} own codelists, {len(maps)} mappings with {sum(len(m.rows) for m in maps.values())} rows')
    files = len(schemas) + len(lists) + sum(len(s.own) for s in schemas.values()) + len(maps)
    print(f'note: {passed} checks hold')
    print(f'{files} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
