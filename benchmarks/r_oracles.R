# What R says of the inputs that benchmarks/r_oracles.py writes: Rscript r_oracles.R FOLDER
#
# Every quantity is a line of FOLDER/values.tsv, its name and its numbers with 17 digits; the
# version of each package is one too. Packages that are absent leave their quantities out.
# From packages where they offer it; what none of them offers is written out here in plain R.

folder <- commandArgs(trailingOnly = TRUE)[1]
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
out <- file(file.path(folder, "values.tsv"), "w")
put <- function(name, ...) {
  writeLines(paste(c(name, sprintf("%.17g", as.numeric(c(...)))), collapse = "\t"), out)
  flush(out)
}
have <- function(...) {
  all(vapply(c(...), function(p) suppressWarnings(requireNamespace(p, quietly = TRUE)), NA))
}
read <- function(name) read.csv(file.path(folder, paste0(name, ".csv")))
version_of <- function(name, version) writeLines(paste0("version ", name, "\t", version), out)

version_of("R", paste(R.version$major, R.version$minor, sep = "."))
for (p in c("pROC", "rms", "Hmisc", "sandwich", "ROCR", "mvtnorm", "survey", "metafor")) {
  version_of(p, if (have(p)) as.character(packageVersion(p)) else "absent")
}

photographs <- read("photographs")
y <- photographs$target
scores <- list(photographs$p1, photographs$p2)
groups <- length(unique(photographs$group))

# ---- ranks: pROC --------------------------------------------------------------------------------
if (have("pROC")) {
  rocs <- lapply(scores, function(p) pROC::roc(y, p, direction = "<", levels = 0:1, quiet = TRUE))
  put("auroc", sapply(rocs, pROC::auc))
  put("delong_variance", sapply(rocs, pROC::var, method = "delong"))
  intervals <- lapply(rocs, pROC::ci.auc, method = "delong")
  put("delong_interval", sapply(intervals, function(i) c(i[1], i[3])))
  # Two-sided test of two networks on the same photographs.
  test <- pROC::roc.test(rocs[[1]], rocs[[2]], method = "delong", paired = TRUE)
  put("paired_delong", test$estimate[1] - test$estimate[2], test$statistic, test$p.value)
  put("partial_auroc", sapply(rocs, function(r) {
    pROC::auc(r, partial.auc = c(1, 0.8), partial.auc.focus = "sensitivity")
  }))
  by_fold <- sapply(sort(unique(photographs$fold)), function(k) {
    inside <- photographs$fold == k
    as.numeric(pROC::roc(y[inside], scores[[2]][inside], direction = "<", quiet = TRUE)$auc)
  })
  put("auroc_by_fold", by_fold)
  # A threshold between two probabilities; of the second network there are no ties.
  at <- pROC::coords(rocs[[2]], x = 0.3333333, input = "threshold", transpose = FALSE,
                     ret = c("accuracy", "sensitivity", "specificity"))
  put("at_threshold", at)
  # 4,000 replicates within the classes: a bootstrap of photographs, its bounds with chance.
  set.seed(20201)
  drawn <- pROC::ci.auc(rocs[[2]], method = "bootstrap", boot.n = 4000, progress = "none")
  put("stratified_bootstrap_auroc", drawn[1], drawn[3])
  drawn <- pROC::ci.thresholds(rocs[[2]], thresholds = 0.3333333, boot.n = 4000, progress = "none")
  put("stratified_bootstrap_sensitivity", drawn$sensitivity[c(1, 3)])
  put("stratified_bootstrap_specificity", drawn$specificity[c(1, 3)])
}

# Obuchowski (1997), equations 3 to 5, in plain R: DeLong's components added up by patient.
placements <- function(p) {
  x <- p[y == 1]
  o <- p[y == 0]
  wins <- outer(x, o, function(a, b) (a > b) + (a == b) / 2)
  list(v10 = rowMeans(wins), v01 = colMeans(wins), auc = mean(wins))
}
clustered_variance <- function(p, group) {
  v <- placements(p)
  m <- sum(y == 1)
  n <- sum(y == 0)
  all <- unique(group)
  xs <- sapply(all, function(g) sum((v$v10 - v$auc)[group[y == 1] == g]))
  os <- sapply(all, function(g) sum((v$v01 - v$auc)[group[y == 0] == g]))
  k10 <- length(unique(group[y == 1]))
  k01 <- length(unique(group[y == 0]))
  k <- length(all)
  s10 <- k10 / ((k10 - 1) * m) * sum(xs^2)
  s01 <- k01 / ((k01 - 1) * n) * sum(os^2)
  s11 <- k / (k - 1) * sum(xs * os)
  s10 / m + s01 / n + 2 * s11 / (m * n)
}
put("obuchowski_variance", sapply(scores, clustered_variance, group = photographs$group))

# LeDell, Petersen & van der Laan (2015), with a class weighed by its number in the fold, by patient.
influence <- rep(0, length(y))
areas <- c()
for (k in sort(unique(photographs$fold))) {
  inside <- which(photographs$fold == k)
  x <- inside[y[inside] == 1]
  o <- inside[y[inside] == 0]
  wins <- outer(scores[[2]][x], scores[[2]][o], function(a, b) (a > b) + (a == b) / 2)
  areas <- c(areas, mean(wins))
  influence[x] <- (rowMeans(wins) - mean(wins)) / length(x)
  influence[o] <- (colMeans(wins) - mean(wins)) / length(o)
}
by_patient <- tapply(influence / length(areas), photographs$group, sum)
put("influence_interval", mean(areas), sqrt(groups / (groups - 1) * sum(by_patient^2)))

# The first fold alone, on the logit scale, with t of the rarer class's patients - 1.
fold0 <- photographs$fold == 0
all_y <- y
all_group <- photographs$group
y <- all_y[fold0]
pooled <- clustered_variance(scores[[2]][fold0], all_group[fold0])
area <- placements(scores[[2]][fold0])$auc
rarer <- min(tapply(all_group[fold0], y, function(g) length(unique(g))))
y <- all_y
put("clustered_auroc", plogis(qlogis(area) + c(-1, 1) * qt(0.975, rarer - 1) * sqrt(pooled) / (area * (1 - area))))
# Pairs of photographs of two patients only.
wins <- outer(scores[[2]][y == 1], scores[[2]][y == 0], function(a, b) (a > b) + (a == b) / 2)
apart <- outer(photographs$group[y == 1], photographs$group[y == 0], "!=")
put("between_groups_auroc", sum(wins[apart]) / sum(apart))

# Average precision: the sum of precision times gain in recall, ties as one step.
average_precision <- function(p) {
  cuts <- sort(unique(p), decreasing = TRUE)
  hits <- sapply(cuts, function(c) sum(y[p >= c]))
  sum(hits / sapply(cuts, function(c) sum(p >= c)) * diff(c(0, hits))) / sum(y)
}
put("average_precision", sapply(scores, average_precision))

# ---- decisions ----------------------------------------------------------------------------------
if (have("ROCR")) {
  f <- ROCR::performance(ROCR::prediction(scores[[2]], y), "f")
  values <- f@y.values[[1]]
  best <- which.max(ifelse(is.na(values), -1, values))
  put("highest_f1", values[best])
  # The product sets the threshold midway to the next lower probability.
  put("highest_f1_threshold", mean(f@x.values[[1]][best + 0:1]))
}
put("threshold_for_specificity", quantile(scores[[2]][y == 0], 0.814, type = 1))
net_benefit <- function(p, risk) {
  called <- p >= risk
  (sum(called & y == 1) - sum(called & y == 0) * risk / (1 - risk)) / length(y)
}
put("net_benefit", sapply(c(0.1, 0.2, 0.35), net_benefit, p = scores[[2]]))

# ---- shares -------------------------------------------------------------------------------------
shares <- read("shares")
put("clopper_pearson", mapply(function(h, n) binom.test(h, n)$conf.int, shares$hits, shares$n))
put("clopper_pearson_lower", mapply(function(h, n) {
  binom.test(h, n, alternative = "greater", conf.level = 0.95)$conf.int[1]
}, shares$hits, shares$n))
put("wilson", suppressWarnings(mapply(function(h, n) {
  prop.test(h, n, correct = FALSE)$conf.int
}, shares$hits, shares$n)))
# Korn & Graubard (1998), as the survey package has it, among melanomas and among the others:
# clusters of unlike size. (The package caps the effective number at that of photographs, survey
# does not; here it is below.)
if (have("survey")) {
  share_of <- function(side, right) {
    design <- survey::svydesign(ids = ~group, weights = ~1,
                                data = data.frame(right = as.numeric(right), group = photographs$group)[side, ])
    found <- survey::svyciprop(~right, design, method = "beta")
    c(found[1], attr(found, "ci"))
  }
  called <- scores[[1]] >= 0.205
  put("clustered_share", share_of(y == 1, called), share_of(y == 0, !called))
}
# The highest threshold with a lower 95 % bound of sensitivity above 0.8; photographs of a patient
# count as Kish's effective number.
positives <- sort(scores[[2]][y == 1], decreasing = TRUE)
sizes_of <- as.vector(table(photographs$group[y == 1]))
effective <- sum(sizes_of)^2 / sum(sizes_of^2)
hits <- seq_along(positives) / length(positives) * effective
bound <- qbeta(0.05, hits, effective - hits + 1)
first <- which(bound >= 0.8)[1]
put("guaranteed_threshold", positives[first], bound[first])
put("holm", p.adjust(read("p_values")$p, "holm"))

# ---- results over folds -------------------------------------------------------------------------
folds <- read("folds")
sizes <- read("sizes")
put("t_quantiles", qt(0.975, c(1, 2, 4, 9, 14, 79, Inf)))
corrected <- function(x) {
  j <- length(x)
  error <- sd(x) * sqrt(1 / j + sizes$n_test / sizes$n_train)
  c(mean(x) - qt(0.975, j - 1) * error, mean(x) + qt(0.975, j - 1) * error,
    pt(mean(x) / error, j - 1, lower.tail = FALSE))
}
put("corrected_t_interval", corrected(folds$a)[1:2])
put("corrected_t_difference", corrected(folds$a - folds$b))
logit_bounds <- function(estimate, error, df) {
  plogis(qlogis(estimate) + c(-1, 1) * qt(0.975, df) * error / (estimate * (1 - estimate)))
}
j <- length(folds$a)
error <- sd(folds$a) * sqrt(1 / j + sizes$n_test / sizes$n_train)
put("corrected_t_logit", logit_bounds(mean(folds$a), error, j - 1))
# The widened interval: 5 folds, patients' variance 0.0002 with 60 degrees of freedom.
rho <- sizes$n_test / (sizes$n_test + sizes$n_train)
within <- (1 + 4 * rho) * 0.0002
excess <- max(var(folds$a) / 5 - 0.0002, 0)
total <- within + excess
df <- total^2 / (within^2 / 60 + excess^2 / (j - 1))
put("crossval_variance", total, df)
bounds <- logit_bounds(mean(folds$a), sqrt(total), df)
put("crossval_interval", bounds)
put("prediction_interval", plogis(qlogis(mean(folds$a)) + sqrt(2) * (qlogis(bounds) - qlogis(mean(folds$a)))))
# One-sided bound at level 0.05, and two one-sided tests of a difference within 0.02.
d <- folds$a - folds$b
error <- sd(d) * sqrt(1 / j + sizes$n_test / sizes$n_train)
put("lower_bound", mean(d) - qt(0.95, j - 1) * error)
put("equivalence_p", max(pt((mean(d) - 0.02) / error, j - 1), pt((mean(d) + 0.02) / error, j - 1, lower.tail = FALSE)))
# Of the first network above the second.
unpaired <- t.test(folds$a, folds$b, var.equal = TRUE, alternative = "greater")
put("unpaired_t", unpaired$statistic, unpaired$p.value)
put("t_interval", t.test(folds$a)$conf.int)

source(file.path(here, "r_oracles_parts", "calibration.R"))

# ---- many networks ------------------------------------------------------------------------------
effects <- as.matrix(read("effects"))
networks <- ncol(effects)
if (have("mvtnorm")) {
  # Quasi-random integration of multivariate t, right to about 1e-5; its root to 1e-4.
  critical <- function(df, sides, corr) {
    chance <- function(q) {
      set.seed(20203)
      lower <- rep(if (sides == 1) -Inf else -q, nrow(corr))
      mvtnorm::pmvt(lower, rep(q, nrow(corr)), df = df, corr = corr,
                    algorithm = mvtnorm::GenzBretz(maxpts = 5e4, abseps = 1e-5))
    }
    uniroot(function(q) chance(q) - 0.95, c(1.5, 4), tol = 1e-4)$root
  }
  # Of the differences of the networks here from each of them: Hsu's comparisons with the
  # best under the correlation that the data have (Hsu 1996, section 4.2).
  covariance <- cov(effects) / nrow(effects)
  put("mcb_errors", sapply(seq_len(networks), function(i) {
    sapply(setdiff(seq_len(networks), i), function(j) {
      sqrt(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
    })
  }))
  put("mcb_critical", sapply(seq_len(networks), function(i) {
    others <- setdiff(seq_len(networks), i)
    contrast <- diag(networks)[others, ] - matrix(diag(networks)[i, ], networks - 1, networks, TRUE)
    critical(nrow(effects) - 1, 1, cov2cor(contrast %*% covariance %*% t(contrast)))
  }))
}
# ---- components of variance ---------------------------------------------------------------------
cells <- read("cells")
for (name in c("division", "fold", "seed")) cells[[name]] <- factor(cells[[name]])
# Training within cells, and the division by the repeats' means less what training gives them.
table <- anova(lm(value ~ division / fold, cells))
training <- table["Residuals", "Mean Sq"]
freedom <- table["Residuals", "Df"]
of_cells <- nrow(cells) / nlevels(cells$division)
put("variance_components", var(tapply(cells$value, cells$division, mean)) - training / of_cells, training)
put("variance_of_training", freedom * training / qchisq(c(0.975, 0.025), freedom))

# ---- physicians ---------------------------------------------------------------------------------
# Both errors from the bounds on the logit scale: 0.931 (0.920 to 0.940) above 0.91 (0.88 to 0.93).
error_of <- function(low, high) (qlogis(high) - qlogis(low)) / (2 * qnorm(0.975))
put("p_above", pnorm((qlogis(0.931) - qlogis(0.91)) /
      sqrt(error_of(0.92, 0.94)^2 + error_of(0.88, 0.93)^2), lower.tail = FALSE))

source(file.path(here, "r_oracles_parts", "studies.R"))
close(out)
