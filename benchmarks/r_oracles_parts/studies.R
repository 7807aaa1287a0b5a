# Archives pooled and studies planned, for benchmarks/r_oracles.R, which sources this.

# Obuchowski (1997) for the difference of two networks.
paired_clustered_variance <- function(p, q, group) {
  v <- placements(p)
  w <- placements(q)
  all <- unique(group)
  add_up <- function(moves, side) {
    sapply(all, function(g) sum((moves - mean(moves))[group[side] == g]) / sum(side))
  }
  xs <- add_up(v$v10 - w$v10, y == 1)
  os <- add_up(v$v01 - w$v01, y == 0)
  factor_of <- function(side) {
    k <- length(unique(group[side]))
    k / (k - 1)
  }
  factor_of(y == 1) * sum(xs^2) + factor_of(y == 0) * sum(os^2) +
    2 * factor_of(y == y) * sum(xs * os)
}

if (have("metafor")) {
  archives <- read("archives")
  archives$yi <- qlogis(archives$auroc)
  archives$sei <- archives$error / (archives$auroc * (1 - archives$auroc))
  fits <- function(...) lapply(split(archives, archives$set), function(a) {
    metafor::rma(yi = a$yi, sei = a$sei, ...)
  })
  of <- function(found, ...) unlist(lapply(found, function(f) unlist(unclass(f)[c(...)])))
  usual <- fits(method = "DL")
  put("pooled_heterogeneity", of(usual, "tau2", "QE", "QEp"),
      sapply(usual, function(f) f$I2 / 100))
  put("pooled_weights", unlist(lapply(usual, weights)) / 100)
  put("pooled_usual", of(usual, "beta", "se", "ci.lb", "ci.ub"))
  put("pooled_common", of(fits(method = "FE"), "beta", "se", "ci.lb", "ci.ub"))
  put("pooled_knapp_hartung", of(fits(method = "DL", test = "knha"), "se", "ci.lb", "ci.ub"))
  held <- fits(method = "DL", test = "adhoc")
  put("pooled_never_narrower", of(held, "se", "ci.lb", "ci.ub"))
  back <- lapply(held, predict, transf = plogis)
  put("pooled_auroc", of(back, "pred", "ci.lb", "ci.ub"))
  # The t of k - 2 of Higgins et al. (2009) and Riley et al. (2011); two archives have none.
  ahead <- lapply(held[1:2], predict, transf = plogis, pi.type = "riley")
  put("pooled_auroc_prediction", of(ahead, "pi.lb", "pi.ub"))
}

# Obuchowski & McClish (1997) by pROC's covariance of two binormal curves; a variance is that of a
# curve with itself. pROC's own variance leaves out the covariance of A and B, so that its
# power.roc.test of stated curves comes out far too low (github.com/xrobin/pROC/issues/122): kept
# below as what R alone says.
studies <- read("studies")
z_of <- function(a) sqrt(2) * qnorm(a)
if (have("pROC")) {
  rows <- split(studies, seq_len(nrow(studies)))
  error_of_study <- function(s) {
    covariance <- function(a, b, r) {
      pROC:::cov.params.obuchowski(z_of(a), 1, z_of(b), 1, r, r, s$negatives / s$positives)
    }
    variance <- covariance(s$auroc1, s$auroc1, 1) + covariance(s$auroc2, s$auroc2, 1) -
      2 * covariance(s$auroc1, s$auroc2, s$correlation)
    sqrt(variance / s$positives)
  }
  put("power_two_aurocs", sapply(rows, function(s) {
    pnorm((s$auroc2 - s$auroc1) / error_of_study(s) - qnorm(0.975))
  }))
  reach <- qnorm(0.975) + qnorm(0.8)
  put("positives_needed", sapply(rows[1], function(s) {
    s$positives * (reach * error_of_study(s) / (s$auroc2 - s$auroc1))^2
  }))
  put("power_roc_test_as_it_is", sapply(rows, function(s) {
    stated <- list(A1 = z_of(s$auroc1), B1 = 1, A2 = z_of(s$auroc2), B2 = 1,
                   rn = s$correlation, ra = s$correlation, delta = s$auroc2 - s$auroc1)
    pROC::power.roc.test(stated, ncases = s$positives, ncontrols = s$negatives)$power
  }))
  # From the two networks' own predictions: each photograph by itself, and by patient.
  both_vary <- sum(sapply(rocs, pROC::var, method = "delong")) -
    2 * pROC::cov(rocs[[1]], rocs[[2]], method = "delong")
  by_patients <- paired_clustered_variance(scores[[1]], scores[[2]], photographs$group)
  put("run_needs", (reach / 0.02)^2 * c(length(y) * both_vary, groups * by_patients))
}
# The exact variance of Mann & Whitney's statistic: two right pairs are two normal differences
# above 0.
if (have("mvtnorm")) {
  both <- function(a, b, rho) {
    corner <- matrix(c(1, rho, rho, 1), 2)
    if (rho == 1) min(a, b) - a * b
    else mvtnorm::pmvnorm(upper = qnorm(c(a, b)), corr = corner)[1] - a * b
  }
  covariance_of <- function(a, b, rho, m, n) {
    (both(a, b, rho) + (m + n - 2) * both(a, b, rho / 2)) / (m * n)
  }
  put("power_mann_whitney", mapply(function(a, b, rho, m, n) {
    variance <- covariance_of(a, a, 1, m, n) + covariance_of(b, b, 1, m, n) -
      2 * covariance_of(a, b, rho, m, n)
    pnorm((b - a) / sqrt(variance) - qnorm(0.975))
  }, studies$auroc1, studies$auroc2, studies$correlation, studies$positives, studies$negatives))
}
