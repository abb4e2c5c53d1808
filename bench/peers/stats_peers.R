# One statistical job in R. usage: Rscript stats_peers.R JOB FILE. Prints "seconds S" (CPU of the computation, the file already read)
# and "value NAME X" for every number that Suha must agree with.
args <- commandArgs(TRUE)
job <- args[1]
has <- function(p) requireNamespace(p, quietly = TRUE)
need <- list(hc0 = "sandwich", cluster = "sandwich", svyglm = "survey", svymean = "survey", svyby = "survey", svychisq = "survey", svyquantile = "survey",
             svyciprop = "survey", glmer = "lme4", mice = c("mice", "nnet"), cr2 = "clubSandwich", glm.nb = "MASS")
if (job == "packages") {
  for (p in unique(unlist(need))) cat(p, if (has(p)) as.character(packageVersion(p)) else "missing", "\n")
  quit()
}
for (p in need[[job]]) suppressPackageStartupMessages(library(p, character.only = TRUE))
d <- read.csv(args[2], stringsAsFactors = TRUE, na.strings = "")
tell <- function(names, values) cat(sprintf("value %s %.17g\n", gsub(" ", "_", names), values), sep = "")
timed <- function(e) cat("seconds", sum(system.time(e)[1:2]), "\n")
model <- y ~ a + b + c + d + u + v + w + x + z + s + t + q
both <- function(b, v) { tell(paste0("coef:", names(b)), b); tell(paste0("se:", names(b)), sqrt(diag(v))) }
design <- function() svydesign(ids = ~psu, strata = ~stratum, weights = ~weight, data = d)
run <- switch(job,
  logit = function() { timed(m <- glm(model, binomial, d)); both(coef(m), vcov(m)) },
  hc0 = function() { timed({ m <- glm(model, binomial, d); v <- vcovHC(m, "HC0") }); both(coef(m), v) },
  cluster = function() { timed({ m <- glm(model, binomial, d); v <- vcovCL(m, d$psu, type = "HC1") }); both(coef(m), v) },
  svyglm = function() { timed(m <- svyglm(model, design(), family = quasibinomial)); both(coef(m), vcov(m)) },
  svymean = function() { timed(e <- svymean(~x, design())); tell(c("estimate", "se"), c(coef(e), SE(e))) },
  svyby = function() { timed(e <- svyby(~x, ~group, design(), svymean)); tell(paste0("estimate:", e$group), e$x); tell(paste0("se:", e$group), e$se) },
  svyciprop = function() { timed(e <- svyciprop(~y, design(), method = "beta")); tell(c("estimate", "low", "high"), c(coef(e), attr(e, "ci"))) },
  svychisq = function() { timed(e <- svychisq(~y + quarter, design())); tell("statistic", e$statistic) },
  svyquantile = function() { timed(e <- svyquantile(~x, design(), .5)); tell("estimate", coef(e)) },
  glmer = function() {
    timed(m <- glmer(y ~ x1 + x2 + x3 + x4 + x5 + x6 + x7 + (1 | g), d, binomial))
    tell(paste0("coef:", names(fixef(m))), fixef(m))
    tell("sd", sqrt(VarCorr(m)$g[1]))
  },
  cr2 = function() {
    timed({ m <- glm(y ~ a + b + u + v, binomial, d); v <- vcovCR(m, d$site, "CR2"); t <- coef_test(m, v, test = "Satterthwaite") })
    both(coef(m), v)
    tell(paste0("df:", names(coef(m))), t$df_Satt)
  },
  glm.nb = function() { timed(m <- glm.nb(n ~ time, d)); tell(c("coef:time", "theta"), c(coef(m)[[2]], m$theta)) },
  mice = function() timed(mice(d, m = 5, maxit = 5, printFlag = FALSE, seed = 1)),
  main = function() {
    cells <- expand.grid(rep(list(0:1), ncol(d) - 1))[-1, ]
    names(cells) <- head(names(d), -1)
    d <- merge(cells, d, all.x = TRUE)
    d$count[is.na(d$count)] <- 0
    timed(m <- glm(count ~ ., poisson, d, epsilon = 1e-12))
    tell("people", sum(d$count) + exp(coef(m)[[1]]))
  }
)
run()
