# Rscript compare_against_r.R FOLDER: the numbers of a comparison by pROC, rms and base R.
# FOLDER/table.csv: target, then the probability of each model. FOLDER/p_values.csv: p of all pairs.
suppressPackageStartupMessages(library(pROC))
suppressPackageStartupMessages(library(rms))
folder <- commandArgs(trailingOnly = TRUE)[1]
table <- read.csv(file.path(folder, "table.csv"), check.names = FALSE)
models <- names(table)[-1]
y <- table$target
say <- function(quantity, model, value) cat(quantity, model, format(value, digits = 15), sep = "\t", fill = TRUE)
roc_of <- function(m) roc(y, table[[m]], levels = c(0, 1), direction = "<", quiet = TRUE)
rocs <- lapply(models, roc_of)
names(rocs) <- models
for (m in models) {
  p <- pmin(pmax(table[[m]], 1e-12), 1 - 1e-12)
  x <- qlogis(p)
  say("AUROC", m, as.numeric(auc(rocs[[m]])))
  say("Brier score", m, mean((table[[m]] - y)^2))
  # Of rms; its own intercept is that beside the slope, so that the one at slope 1 is glm's.
  say("calibration slope", m, unname(lrm(y ~ x)$coefficients[2]))
  control <- glm.control(epsilon = 1e-12, maxit = 100)
  say("calibration intercept", m, unname(coef(glm(y ~ offset(x), family = binomial, control = control))))
}
for (i in seq_along(models)) for (j in seq_len(i - 1)) {
  test <- roc.test(rocs[[j]], rocs[[i]], method = "delong", paired = TRUE)
  say("DeLong p", paste(models[j], models[i], sep = " and "), test$p.value)
}
p <- read.csv(file.path(folder, "p_values.csv"))$p
adjusted <- p.adjust(p, "holm")
for (k in seq_along(adjusted)) say("p, Holm", as.character(k), adjusted[k])
cat("versions", "", paste0("R ", getRversion(), ", pROC ", packageVersion("pROC"), ", rms ", packageVersion("rms")), sep = "\t", fill = TRUE)
