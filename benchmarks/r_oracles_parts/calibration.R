# Calibration, for benchmarks/r_oracles.R, which sources this.

p <- scores[[2]]
x <- qlogis(p)
line <- glm(y ~ x, family = binomial, control = list(epsilon = 1e-14, maxit = 100))
large <- glm(y ~ 1, offset = x, family = binomial, control = list(epsilon = 1e-14, maxit = 100))
tempered <- glm(y ~ 0 + x, family = binomial, control = list(epsilon = 1e-14, maxit = 100))
put("temperature", 1 / coef(tempered))
put("calibration_line_glm", coef(line)[2], coef(line)[1], coef(large))
put("brier", mean((p - y)^2))
if (have("rms")) {
  suppressPackageStartupMessages(library(rms))
  fit <- lrm(y ~ x, eps = 1e-12, maxit = 100)
  put("calibration_line_lrm", coef(fit)[2], coef(fit)[1])
  # pl = FALSE leaves out the plot, and with it the smooth curve: that is drawn into nowhere.
  pdf(NULL)
  found <- val.prob(p, y, smooth = TRUE)
  invisible(dev.off())
  put("val_prob", found[c("Brier", "Intercept", "Slope")])
}
# Each patient left out by one step of iteratively reweighted least squares from the whole fit: the
# cluster jackknife CV3L of MacKinnon, Nielsen & Webb (2025), with glm's own arithmetic.
one_step <- function(design, offset = rep(0, length(y))) {
  start <- suppressWarnings(glm.fit(design, y, offset = offset, family = binomial(),
                                    control = list(epsilon = 1e-14, maxit = 100)))$coefficients
  t(sapply(unique(photographs$group), function(g) {
    rest <- photographs$group != g
    fit <- suppressWarnings(glm.fit(design[rest, , drop = FALSE], y[rest], offset = offset[rest],
                                    family = binomial(), start = start, control = list(maxit = 1)))
    start - fit$coefficients
  }))
}
jackknife <- function(shift) sqrt((groups - 1) / groups * sum(shift^2))
kish <- function(v) sum(v)^2 / sum(v^2)
by_group <- function(v) as.vector(tapply(v, photographs$group, sum))
slopes <- one_step(cbind(1, x))[, 2]
put("slope_error", jackknife(slopes))
put("intercept_error", jackknife(one_step(cbind(rep(1, length(y))), x)))
# What a patient tells of the slope: the information about it, apart from that about the intercept.
weight <- fitted(line) * (1 - fitted(line))
told <- by_group(weight * (x - weighted.mean(x, weight))^2)
put("slope_interval", coef(line)[2] + c(-1, 1) * qt(0.975, kish(told) - 1) * jackknife(slopes))
squares <- (p - y)^2
without <- function(v) sapply(unique(photographs$group), function(g) mean(v[photographs$group != g]))
put("brier_interval", mean(squares) + c(-1, 1) * qt(0.975, kish(by_group(rep(1, length(y)))) - 1) *
      jackknife(mean(squares) - without(squares)))
ratio <- log(sum(y) / sum(p))
error <- jackknife(ratio - log(without(y) / without(p)))
put("observed_over_expected", exp(ratio + c(0, -1, 1) * qt(0.975, kish(by_group(p)) - 1) * error))
if (have("sandwich")) {
  # The usual robust error, smaller: with HC3 it comes near the jackknife's.
  clustered <- function(type) sqrt(diag(sandwich::vcovCL(line, cluster = photographs$group, type = type)))[2]
  put("slope_error_sandwich_hc0_hc1", clustered("HC0"), clustered("HC1"))
  put("slope_error_sandwich_hc3", clustered("HC3"))
}
# The flexible curve: four knots, from the tenth lowest to the tenth highest logit of 200 or more.
if (have("rms")) {
  ends <- quantile(x, c(0, 1) + c(1, -1) * 10 / max(length(x), 200))
  grid <- seq(ends[1], ends[2], length.out = 200)[c(1, 40, 100, 160, 200)]
  where <- Hmisc::rcspline.eval(x, nk = 4, knots.only = TRUE)
  basis <- function(x) cbind(1, Hmisc::rcspline.eval(x, knots = where, inclx = TRUE))
  fit <- lrm(y ~ rcs(x, where), eps = 1e-12, maxit = 100)
  put("flexible_curve", predict(fit, data.frame(x = grid), type = "fitted"))
  gaps <- abs(predict(fit, type = "fitted") - p)
  put("flexible_ici_e50_e90", mean(gaps), quantile(gaps, c(0.5, 0.9)))
  moves <- basis(grid) %*% t(one_step(basis(x)))
  level <- by_group(predict(fit, type = "fitted") * (1 - predict(fit, type = "fitted")))
  half <- qt(0.975, kish(level) - 1) * apply(moves, 1, jackknife)
  middle <- predict(fit, data.frame(x = grid))
  put("flexible_band", plogis(middle - half), plogis(middle + half))
}
# Root mean squared gap of bins of equal mass, less what chance gives (Broecker 2012), of
# probabilities that are too low.
too_low <- p^2
for (bins in 10:1) {
  code <- floor((rank(too_low, ties.method = "min") - 1) * bins / length(y))
  if (min(tapply(photographs$group, code, function(g) length(unique(g)))) >= 20) break
}
gap_of <- function(kept) tapply((y - too_low)[kept], factor(code, sort(unique(code)))[kept], mean)
share <- table(code) / length(code)
gap <- gap_of(rep(TRUE, length(y)))
moved <- sapply(unique(photographs$group), function(g) {
  left <- gap_of(photographs$group != g)
  gap - left
})
put("calibration_error", sqrt(max(sum(share * gap^2) -
      (groups - 1) / groups * sum(share * rowSums(moved^2)), 0)))
