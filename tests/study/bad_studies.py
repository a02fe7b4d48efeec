"""Study files that are refused, each with words of the message that refuses it."""

SECTIONS = {
    "study": 'name = "s"\nreplicates = 1\n',
    "mechanism": 'kind = "exchangeable"\ngroups = 3\ngroup_size = 3\n',
    "method": 'name = "m"\nstructure = "complete"\n',
    "sampler": 'kind = "nuts"\nchains = 1\nwarmup = 10\ndraws = 10\n',
}
EXCHANGEABLE = 'kind = "exchangeable"\n'
KNOWN_SE = {"mechanism": 'kind = "exchangeable"\nlikelihood = "normal_known_se"\ngroups = 3\n'}
MANY = ", ".join(map(str, range(1000)))


def toml(more: str = "", **sections: str | None) -> str:
    """Return a study file: sections replaced, left out where None; what begins with + is added to a section."""
    parts = []
    for name, text in SECTIONS.items():
        given = sections.get(name, text)
        if given is not None:
            head = "[[method]]" if name == "method" else f"[{name}]"
            parts.append(f"{head}\n{text + given[1:] if given.startswith('+') else given}\n")
    return "\n".join([*parts, more])


def data(name: str, columns: str = 'group = "g"\nvalue = "v"') -> str:
    return toml(mechanism=f'kind = "dataset"\ndata = {name}\n{columns}\n')


# Each is a study file and words of the message that refuses it.
STUDIES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "[study]: the section is missing"),
    "bytes": (b"\xff\xfe\x00", "UTF-8, got bytes that are no text"),
    "utf-16": (toml().encode("utf-16"), "UTF-8, got bytes that are no text"),
    "nul": (b"\0", "expected a TOML file"),
    "half a line": ("a = ", "expected a TOML file: Invalid value"),
    "a key twice": (toml(study="+replicates = 2"), "expected a TOML file"),
    "nested": ("a = " + "[" * 100_000, "nested too deeply"),
    "5,000 digits": ("a = " + "9" * 5000, "4300 digits"),
    "1,200 dots": (".".join("a" * 1200) + " = 1", "expected keys of at most 16 parts, got more (line 1)"),
    "32 kB of dots": ("\n[" + ".".join("a" * 16_000) + "]", "expected keys of at most 16 parts, got more (line 2)"),
    "dots with spaces": ("a . " * 8_000 + "a = 1", "expected keys of at most 16 parts"),
    "dots of quoted keys": ('"a" . ' * 8_000 + "a = 1", "expected keys of at most 16 parts"),
    "dots within brackets": (
        f'x = [ """a"""", {{ {".".join("a" * 1200)} = 1 }} ]',
        "expected keys of at most 16 parts",
    ),
    "lists 100 deep": (toml(study="+aim = " + "[" * 100 + "]" * 100), "nested too deeply"),
    "tables 100 deep": (toml(study="+aim = " + "{ a = " * 100 + "1" + " }" * 100), "nested too deeply"),
    "a long key": (toml(study=f"+{'k' * 5000} = 1"), "expected keys of at most 200 characters, got 'kkk"),
    "open strings": ('"""\\' * 100_000 + "\\", "expected a TOML file"),
    "11 MB": ("#" * 11_000_000, "at most 10,000,000 bytes"),
    "no mechanism": (toml(mechanism=None), "[mechanism]: the section is missing"),
    "no method": (toml(method=None), "[[method]]: the section is missing"),
    "no sampler": (toml(sampler=None), "[sampler]: the section is missing"),
    "unknown section": (toml("[diagnostic]\n"), "[diagnostic]: no such section; did you mean 'diagnostics'"),
    "section is a number": (
        "study = 3\nmechanism = 3\nmethod = []\nsampler = 3\n",
        "[study]: expected a section, got 3",
    ),
    "method is a table": (toml().replace("[[method]]", "[method]"), "[[method]]: expected one section or more"),
    "no methods": ("method = []\n" + toml(method=None), "[[method]]: expected at least one method"),
    "methods are numbers": ("method = [1]\n" + toml(method=None), "[[method]] 1: expected a section, got 1"),
    "no name": (toml(study="replicates = 1"), "[study] name: the key is missing"),
    "name up": (toml(study='name = "../x"'), "[study] name: expected letters, digits"),
    "name absolute": (toml(study='name = "/tmp/x"'), "got '/tmp/x'"),
    "name of two lines": (toml(study='name = "x\\n"'), "[study] name: expected letters, digits"),
    "name of a device": (toml(study='name = "con"'), "[study] name: expected the name of a folder on every system"),
    "name of a port": (toml(study='name = "Lpt1.x"'), "[study] name: expected the name of a folder on every system"),
    "name with a dot": (toml(study='name = "x."'), "[study] name: expected the name of a folder on every system"),
    "name too long": (toml(study=f'name = "{"x" * 500}"'), "[study] name: expected at most 80 characters"),
    "primary a sentence": (
        toml(study='+primary = "the error of theta"'),
        "[study] primary: expected a measure and its estimand, such as 'rmse:theta', got 'the error of theta'",
    ),
    "primary a number": (toml(study="+primary = 3"), "[study] primary: expected text, got 3"),
    "name a number": (toml(study="name = 3"), "[study] name: expected text, got 3"),
    "aim with a bell": (toml(study='+aim = "\\u0007"'), "[study] aim: expected text without control characters"),
    "seed negative": (toml(study="+seed = -1"), "[study] seed: expected a number of at least 0, got -1"),
    "seed of 64 bits": (toml(study=f"+seed = {2**63}"), "[study] seed: expected a number below 9,223"),
    "seed a share": (toml(study="+seed = 1.5"), "[study] seed: expected a whole number, got 1.5"),
    "seed a truth": (toml(study="+seed = true"), "[study] seed: expected a whole number, got True"),
    "no replicates": (toml(study='name = "s"\nreplicates = 0'), "at least 1, got 0"),
    "10^12 replicates": (toml(study='name = "s"\nreplicates = 1000000000000'), "at most 10,000,000"),
    "replicates listed": (toml(study='name = "s"\nreplicates = [1, 2]'), "expected a whole number, got [1, 2]"),
    "replicates nan": (toml(study='name = "s"\nreplicates = nan'), "expected a whole number, got nan"),
    "kind misspelt": (toml(study='+kind = "calibrate"'), "did you mean 'calibration'"),
    "study key": (toml(study="+replicate = 5"), "[study] replicate: unknown key; did you mean 'replicates'"),
    "10^10 fits": (
        toml(
            study='name = "s"\nreplicates = 10000000',
            mechanism=f'kind = "exchangeable"\ngroups = 3\ngroup_size = 3\ntau = [{MANY}]',
        ),
        "makes 10,000,000,000 fits, more than 1,000,000,000",
    ),
    "no mechanism kind": (toml(mechanism="groups = 3"), "[mechanism] kind: the key is missing"),
    "mechanism misspelt": (toml(mechanism='kind = "exchangable"'), "did you mean 'exchangeable'"),
    "mechanism of one's own": (
        toml(mechanism='kind = "waits"'),
        "fitted, multilevel, dataset, or one of your own: --load FILE.py",
    ),
    "mechanism listed": (toml(mechanism='kind = ["exchangeable"]'), "got ['exchangeable']"),
    "mechanism names": (
        toml(mechanism='kind = "dataset"\nvalues = [1, 2]\nnames = ["a", "b"]'),
        "[mechanism] names: unknown key; did you mean 'labels'",
    ),
    "mechanism a table": (toml(mechanism="kind = { a = 1 }"), "[mechanism] kind: expected one of"),
    "mechanism key": (toml(mechanism="+tua = 1"), "[mechanism] tua: unknown key; did you mean 'tau'"),
    "0 groups": (
        toml(mechanism=EXCHANGEABLE + "groups = 0\ngroup_size = 3"),
        "groups: expected a number of at least 1",
    ),
    "10^12 groups": (
        toml(mechanism=EXCHANGEABLE + f"groups = {10**12}\ngroup_size = 3"),
        "groups: expected a number of at most",
    ),
    "10^9 observations": (
        toml(mechanism=EXCHANGEABLE + "groups = 100000\ngroup_size = 10000"),
        "groups x group_size: makes 1,000,000,000 observations",
    ),
    "groups a share": (
        toml(mechanism=EXCHANGEABLE + "groups = 2.5\ngroup_size = 3"),
        "groups: expected a whole number, got 2.5",
    ),
    "no group size": (
        toml(mechanism=EXCHANGEABLE + "groups = 3"),
        "group_size: the key is missing; groups and",
    ),
    "no groups at all": (toml(mechanism=EXCHANGEABLE), "groups: the number of groups is missing"),
    "groups empty": (
        toml(mechanism=EXCHANGEABLE + "groups = []\ngroup_size = 3"),
        "groups: expected a value, or a list of at least one, got []",
    ),
    "sizes flat": (toml(mechanism=EXCHANGEABLE + "sizes = [3, 5]"), "sizes: expected a list of lists"),
    "sizes empty": (
        toml(mechanism=EXCHANGEABLE + "sizes = []"),
        "sizes: expected a value, or a list of at least one",
    ),
    "sizes 0": (
        toml(mechanism=EXCHANGEABLE + "sizes = [[3, 0]]"),
        "sizes: expected a number of at least 1, got 0",
    ),
    "sizes deep": (toml(mechanism=EXCHANGEABLE + "sizes = [[[3]]]"), "sizes: expected a whole number, got [3]"),
    "10^9 scenarios": (
        toml(mechanism=f"+mu = [{MANY}]\ntau = [{MANY}]\nsigma = [{MANY}]"),
        "mu (1,000) x tau (1,000) x sigma (1,000): makes 1,000,000,000 scenarios, more than 10,000",
    ),
    "10^6 methods": (
        toml(method=f'name = "m"\nstructure = "partial"\npriors = {{ mu = [{MANY}], tau = [{MANY}] }}'),
        "priors.mu (1,000) x priors.tau (1,000): makes 1,000,000 methods",
    ),
    "tau negative": (toml(mechanism="+tau = -1"), "tau: -1.0 is out of range"),
    "tau nan": (toml(mechanism="+tau = nan"), "tau: expected a finite number, or a prior as text"),
    "tau infinite": (toml(mechanism="+tau = [1.0, inf]"), "tau: expected a finite number, or a prior as text"),
    "tau empty": (toml(mechanism="+tau = []"), "tau: expected a value, or a list of at least one, got []"),
    "tau deep": (toml(mechanism="+tau = [[1]]"), "tau: expected a finite number, or a prior as text"),
    "tau twice": (toml(mechanism="+tau = [1, 1.0]"), "stands twice in the design"),
    "tau a truth": (toml(mechanism="+tau = true"), "tau: expected a finite number"),
    "tau a date": (toml(mechanism="+tau = 2020-01-01"), "tau: expected a finite number"),
    "tau of 400 digits": (toml(mechanism=f"+tau = 1{'0' * 400}"), "tau: expected a finite number"),
    "tau a word": (toml(mechanism='+tau = "big"'), "tau: expected a prior such as 'Normal(0, 10)', got 'big'"),
    "prior is code": (toml(mechanism="+tau = \"__import__('os').mkdir('x')\""), "tau: expected a prior"),
    "prior is a lambda": (toml(mechanism='+tau = "(lambda: 1)()"'), "tau: expected a prior"),
    "prior has a call": (toml(mechanism='+tau = "HalfNormal(abs(1))"'), "the arguments must be finite numbers"),
    "prior has a power": (toml(mechanism='+tau = "HalfNormal(9**9**9)"'), "the arguments must be finite numbers"),
    "prior is dotted": (toml(mechanism='+tau = "dist.HalfNormal(1)"'), "tau: expected a prior"),
    "prior is starred": (toml(mechanism='+tau = "HalfNormal(*[1])"'), "the arguments must be finite numbers"),
    "prior infinite": (toml(mechanism='+tau = "HalfNormal(1e999)"'), "the arguments must be finite numbers"),
    "prior of 400 digits": (toml(mechanism=f'+mu = "Normal(0, {"9" * 400})"'), "the arguments must be finite numbers"),
    "prior of 5,000 brackets": (toml(mechanism=f'+mu = "{"(" * 5000}"'), "mu: expected a prior"),
    "prior of 2,000 characters": (
        toml(mechanism=f'+mu = "Normal(0, {"1" * 300}{" " * 2000})"'),
        "characters, more than 500",
    ),
    "prior with nul": (toml(mechanism='+tau = "HalfNormal(1)\\u0000"'), "tau: expected a prior"),
    "prior repeats": (toml(mechanism='+tau = "HalfNormal(scale=1, scale=2)"'), "an argument stands twice"),
    "prior argument": (toml(mechanism='+tau = "HalfNormal(scal=1)"'), "unexpected keyword argument 'scal'"),
    "prior misspelt": (
        toml(mechanism='+tau = "HalfNorml(1)"'),
        "names no distribution of NumPyro; did you mean 'HalfNormal'",
    ),
    "prior of scale -1": (toml(mechanism='+tau = "HalfNormal(-1)"'), "tau: NumPyro refuses 'HalfNormal(-1)'"),
    "prior below 0": (toml(mechanism='+tau = "Normal(0, 1)"'), "tau: 'Normal(0, 1)' reaches below 0"),
    "prior of counts": (toml(mechanism='+mu = "Poisson(3)"'), "no continuous distribution of one number"),
    "prior turned round": (toml(mechanism='+mu = "Uniform(2, 1)"'), "its lower end above its upper end"),
    "sigma 0": (toml(mechanism="+sigma = 0"), "sigma: 0.0 is out of range; expected a number > 0"),
    "omega": (toml(mechanism="+omega = 1"), "omega: the mechanism 'exchangeable'"),
    "df 1": (toml(mechanism='kind = "student_t"\ngroups = 3\ngroup_size = 3\ndf = 1'), "df: 1.0 is out of range"),
    "weight 2": (toml(mechanism='kind = "two_component"\ngroups = 3\ngroup_size = 3\nweight = 2'), "weight: 2"),
    "separation": (
        toml(mechanism='kind = "two_component"\ngroups = 3\ngroup_size = 3\nseparation = inf'),
        "separation: expected a finite number",
    ),
    "likelihood": (toml(mechanism='+likelihood = "norml"'), "got 'norml'; did you mean 'normal'"),
    "likelihoods": (toml(mechanism='+likelihood = ["normal", "binomial"]'), "got ['normal', 'binomial']"),
    "no standard error": (toml(**KNOWN_SE), "standard_error: the likelihood 'normal_known_se' needs"),
    "standard error infinite": (
        toml(mechanism=KNOWN_SE["mechanism"] + "standard_error = inf"),
        "standard_error: expected a finite number",
    ),
    "no data": (toml(mechanism='kind = "dataset"'), "[mechanism] data: the key is missing"),
    "data misspelt": (data('"lectur"', ""), "no data set 'lectur'; did you mean 'lecture'"),
    "data up": (data('"../outside.csv"'), "'../outside.csv' lies outside the study's folder"),
    "data absolute": (data('"/etc/hosts.csv"'), "'/etc/hosts.csv' lies outside the study's folder"),
    "data a link out": (data('"link.csv"'), "'link.csv' lies outside the study's folder"),
    "data a pipe": (data('"pipe.csv"'), "cannot read 'pipe.csv': expected a file, got a pipe or a device"),
    "data a piped Parquet": (data('"pipe.parquet"'), "cannot read 'pipe.parquet': expected a file, got a pipe"),
    "data tiny": (
        data('"small.csv"').replace("[sampler]", 'priors = { mu = "HalfNormal(1)" }\n[sampler]'),
        "a standard deviation of 7.1e-10, too far from 1 around 0, where the sampler begins, and the prior "
        "HalfNormal(1) of mu has no other unit; give data, truth and priors in a unit of 1e-10",
    ),
    "truth tiny": (
        toml(mechanism="+tau = 1e-9\nsigma = 1e-9", method='+priors = { sigma = "Kumaraswamy(1, 2)" }'),
        "the data have a standard deviation of 1.4e-09",
    ),
    "truth huge": (toml(mechanism="+tau = 1e12"), "the data have a standard deviation of 1e+12"),
    "truth far": (
        toml(mechanism="+mu = 1e9"),
        "a standard deviation of 1.4 around 1e+09, too far from 1 around 0, where the sampler begins, and the prior of "
        "mu lies so far from them that float32 loses it",
    ),
    "data with nul": (data('"a\\u0000.csv"'), "cannot be the path of a file"),
    "data of 5,000 letters": (data(f'"{"a" * 5000}.csv"'), "cannot be the path of a file"),
    "data a folder": (data('"folder.csv"'), "no file 'folder.csv'"),
    "data text": (data('"x.txt"'), "or a .csv or .parquet file"),
    "data listed": (
        data('["lecture"]', ""),
        "data: expected the name of a data set, the path of a file, or a table",
    ),
    "data with columns": (data('"lecture"'), "group: the data set 'lecture' has its own columns"),
    "data empty": (data('"empty.csv"'), "cannot read 'empty.csv'"),
    "data no rows": (data('"head.csv"'), "the table has no rows"),
    "data ragged": (data('"ragged.csv"'), "cannot read 'ragged.csv'"),
    "data not UTF-8": (data('"bytes.csv"'), "cannot read 'bytes.csv'"),
    "data no Parquet": (data('"bad.parquet"'), "cannot read 'bad.parquet'"),
    "data column": (
        data('"good.csv"', 'group = "g"\nvalue = "vv"'),
        "value: no column 'vv' in the table, which has g, v; did you mean 'v'",
    ),
    "data no group": (data('"good.csv"', 'value = "v"'), "expected the columns group and value"),
    "data successes alone": (
        data('"trials.csv"', 'group = "g"\nsuccesses = "v"'),
        'trials: the column that goes with successes = "v" is missing; name it, of those that there are: g, v, n',
    ),
    "data errors alone": (
        data('"trials.csv"', 'group = "g"\nstandard_error = "v"'),
        'value: the column that goes with standard_error = "v" is missing',
    ),
    "data file misspelled": (data('"good.cvs"'), "no data set 'good.cvs'; did you mean 'good.csv'?"),
    "data file elsewhere": (data('"goood.csv"'), "no file 'goood.csv' in "),
    "data a word": (data('"word.csv"'), "value: expected numbers in column 'v', got 'two' in row 2 of 2"),
    "data a gap": (data('"gap.csv"'), "value: expected numbers in column 'v', got nothing in row 2 of 2"),
    "data no group name": (
        data('"nameless.csv"'),
        "expected a name in each row of column 'g', got nothing in row 2",
    ),
    "data too large": (
        data('"large.csv"'),
        "value: column 'v' has 1e+308 in row 1 of 2 (line 2); expected numbers up to",
    ),
    "data truth": (
        data('"word.csv"', 'group = "g"\nvalue = "n"\ntruth = "v"'),
        "truth: expected numbers in column 'v'",
    ),
    "data trials": (
        data('"trials.csv"', 'group = "g"\nsuccesses = "v"\ntrials = "n"'),
        "trials: column 'n' has 1e+15 in row 1 of 1 (line 2); with it the table has more than 100,000,000 trials",
    ),
    "no method name": (toml(method='structure = "complete"'), "name: the key is missing"),
    "method twice": (toml('[[method]]\nname = "m"\nstructure = "none"\n'), "'m' stands twice"),
    "methods alike but for case": (
        toml('[[method]]\nname = "M"\nstructure = "none"\n'),
        "'m' and 'M' differ only in case, outer spaces or forms of a character",
    ),
    "methods alike but for a space": (
        toml('[[method]]\nname = "m "\nstructure = "none"\n'),
        "'m' and 'm ' differ only",
    ),
    "methods alike but for forms": (
        toml('[[method]]\nname = "\u00e9"\nstructure = "none"\n', method='name = "e\u0301"\nstructure = "complete"'),
        "differ only in case, outer spaces or forms of a character",
    ),
    "methods alike": (toml('[[method]]\nname = "n"\nstructure = "complete"\n'), "have the same options"),
    "method with a bell": (toml(method='name = "a\\u0007"\nstructure = "complete"'), "text without control characters"),
    "method of two lines": (toml(method='name = "a\\nb"\nstructure = "complete"'), "text without control characters"),
    "method without name": (
        toml(method='name = ""\nstructure = "complete"'),
        "name: expected text that is not empty, got ''",
    ),
    "method key": (toml(method='+prior = { mu = "Normal(0, 1)" }'), "prior: unknown key; did you mean 'priors'"),
    "structure": (toml(method='name = "m"\nstructure = "parital"'), "got 'parital'; did you mean 'partial'"),
    "no structure": (toml(method='name = "m"'), "structure: the key is missing"),
    "structures empty": (
        toml(method='name = "m"\nstructure = []'),
        "structure: expected a value, or a list of at least one, got []",
    ),
    "parameterization": (toml(method='+parameterization = "centered"'), "only the structure 'partial' has one"),
    "priors a word": (toml(method='+priors = "Normal(0, 1)"'), "priors: expected a table such as"),
    "prior of another": (
        toml(method='+priors = { tau = "HalfNormal(1)" }'),
        "priors.tau: unknown key; expected mu, sigma",
    ),
    "prior beyond float32": (
        toml(method='+priors = { mu = "Normal(0, 1e39)" }'),
        "[[method]] 'm' priors.mu: Normal(0, 1e+39) is beyond single precision",
    ),
    "prior below float32": (
        toml(method='+priors = { mu = "Normal(0, 1e-46)" }'),
        'give another unit, or precision = "float64"',
    ),
    "constant below float32": (toml(method="+priors = { sigma = 1e-30 }"), "priors.sigma: 1e-30 is beyond single"),
    "priors empty": (
        toml(method="+priors = { mu = [] }"),
        "priors.mu: expected a value, or a list of at least one, got []",
    ),
    "prior a table": (
        toml(method="+priors = { mu = { a = 1 } }"),
        "priors.mu: expected a finite number, or a prior as text",
    ),
    "model unknown": (
        toml(method='name = "m"\nmodel = "mine"'),
        "no model 'mine' is registered; load its file with --load",
    ),
    "likelihood of binary data": (toml(method='+likelihood = "binomial"'), "'binomial' cannot be fitted to data of"),
    "no sampler kind": (toml(sampler="chains = 1"), "kind: the key is missing"),
    "sampler misspelt": (toml(sampler='kind = "nutz"'), "no sampler 'nutz'; did you mean 'nuts'"),
    "sampler a word": (toml(method='+sampler = "nuts"'), "sampler: expected a table such as"),
    "sampler of one's own": (
        toml(sampler='kind = "walk"'),
        "numpyro, exact, reml, ml, or one of your own: --load FILE.py",
    ),
    "reml of counts": (
        toml(mechanism='+likelihood = "binomial"', sampler='kind = "reml"'),
        "sampler 'reml': the likelihood 'binomial' is out of scope; expected a built-in model with the",
    ),
    "ml of sigma by group": (
        toml(method='+sigma_by = "hierarchical"', sampler='kind = "ml"'),
        "sampler 'ml': the likelihood 'normal' with sigma_by = 'hierarchical' is out of scope",
    ),
    "reml of raw observations": (
        toml(method='+observations = "raw"', sampler='kind = "reml"'),
        "sampler 'reml': observations = 'raw' is out of scope; expected a built-in model",
    ),
    "reml to be calibrated": (
        toml(
            study='+kind = "calibration"',
            mechanism='+mu = "Normal(0, 10)"\ntau = 0\nsigma = "Exponential(1)"',
            sampler='kind = "reml"',
        ),
        "the sampler 'reml' has no posterior that ranks could be taken of; give the method another sampler",
    ),
    "samplers empty": (toml(sampler="kind = []"), "sampler.kind: expected a value, or a list of at least one, got []"),
    "100,000 chains": (toml(sampler='kind = "nuts"\nchains = 100000'), "chains: expected a number of at most 1,024"),
    "acceptance 1": (
        toml(sampler='kind = "nuts"\ntarget_accept = 1.0'),
        "target_accept: expected a number below 1, got 1.0",
    ),
    "half precision": (
        toml(sampler='kind = "nuts"\nprecision = "float16"'),
        "expected 'float32' or 'float64', got 'float16'",
    ),
    "sampler key": (toml(sampler='kind = "nuts"\ndraw = 10'), "draw: unknown key; did you mean 'draws'"),
    "log density": (toml('[summary]\nlog_density = "yes"'), "log_density: expected true or false, got 'yes'"),
    "level 1": (toml("[summary]\nlevels = [1.0]"), "levels: expected a number below 1, got 1.0"),
    "no levels": (toml("[summary]\nlevels = []"), "levels: expected at least one value, got []"),
    "5,000 levels": (
        toml(f"[summary]\nlevels = [{', '.join(f'{i / 5001:.6f}' for i in range(1, 5001))}]"),
        "levels: expected at most 20 values",
    ),
    "levels too near": (
        toml("[summary]\nlevels = [0.95, 0.9500000001]"),
        "levels: expected levels whose ends differ in six digits",
    ),
    "level without width": (toml("[summary]\nlevels = [1e-9]"), "levels: expected levels whose ends differ"),
    "level of nothing": (toml("[summary]\nlevels = [1e-15]"), "levels: expected levels whose ends differ"),
    "level of all": (toml("[summary]\nlevels = [0.9999999999999]"), "levels: expected levels whose ends differ"),
    "R-hat": (toml("[diagnostics]\nmax_rhat = 0.5"), "max_rhat: expected a number of at least 1, got 0.5"),
    "ESS infinite": (toml("[diagnostics]\nmin_ess = inf"), "min_ess: expected a finite number, got inf"),
}
