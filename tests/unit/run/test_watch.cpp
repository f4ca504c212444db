#include <cmath>

#include "catch.hpp"
#include "run/watch.hpp"

using namespace retake;
using namespace retake::run;

TEST_CASE("a watched metric is spoken of when it leaves its limits, and again after it was back") {
  MetricInfo norm;
  norm.name = "grad_norm";
  norm.max = 100.0;
  norm.problem = "exploding";
  MetricInfo f1;
  f1.name = "val/edit_f1_*";
  f1.min = 0.1;
  Watch watch({norm, f1}, {});
  CHECK_FALSE(watch.observe("grad_norm", 100.0, 1));
  CHECK(watch.observe("grad_norm", 123.0, 2) == "grad_norm is 123 at step 2, above 100: exploding");
  CHECK_FALSE(watch.observe("grad_norm", 130.0, 3));
  CHECK_FALSE(watch.observe("grad_norm", 3.0, 4));
  CHECK(watch.observe("grad_norm", std::nan(""), 5));
  // Each metric of a pattern by itself; what nobody watches is never spoken of.
  CHECK(watch.observe("val/edit_f1_3s", 0.0, 1) == "val/edit_f1_3s is 0 at step 1, below 0.1");
  CHECK(watch.observe("val/edit_f1_0.1s", 0.0, 1));
  CHECK_FALSE(watch.observe("train/loss", 1e9, 1));
}

TEST_CASE("[watch] replaces limits and words one by one, and is closer than a pattern") {
  MetricInfo norm;
  norm.name = "grad_norm";
  norm.min = 0.5;
  norm.max = 100.0;
  norm.problem = "exploding";
  MetricInfo f1;
  f1.name = "val/edit_f1_*";
  f1.min = 0.1;
  Watch watch({norm, f1}, {{"grad_norm", {}, 10.0, {}}, {"val/edit_f1_3s", 0.5, {}, "too low"}});
  CHECK(watch.observe("grad_norm", 11.0, 1) == "grad_norm is 11 at step 1, above 10: exploding");
  CHECK_FALSE(watch.observe("grad_norm", 1.0, 2));
  CHECK(watch.observe("grad_norm", 0.1, 3));
  CHECK(watch.observe("val/edit_f1_3s", 0.4, 1) ==
        "val/edit_f1_3s is 0.4 at step 1, below 0.5: too low");
  CHECK_FALSE(watch.observe("val/edit_f1_0.1s", 0.4, 1));
}

TEST_CASE("a metric on its way to where it should arrive is no problem until the run ends") {
  MetricInfo accuracy;
  accuracy.name = "val_delta_accuracy";
  accuracy.goal = "max";
  accuracy.min = 0.9;
  accuracy.problem = "not learnt";
  Watch watch({accuracy}, {});
  CHECK_FALSE(watch.observe("val_delta_accuracy", 0.2, 10));
  CHECK_FALSE(watch.observe("val_delta_accuracy", 0.5, 20));
  REQUIRE(watch.never_reached().size() == 1);
  CHECK(watch.never_reached().front() ==
        "val_delta_accuracy is 0.5 at step 20, below 0.9: not learnt");
  CHECK_FALSE(watch.observe("val_delta_accuracy", 0.95, 30));
  CHECK(watch.never_reached().empty());
  // Once there, falling out again counts at once.
  CHECK(watch.observe("val_delta_accuracy", 0.3, 40));
  CHECK(watch.never_reached().empty());  // it was said already
  // What is no number is wrong at any time, and so is what the user limits.
  Watch nan({accuracy}, {});
  CHECK(nan.observe("val_delta_accuracy", std::nan(""), 1));
  Watch own({accuracy}, {{"val_delta_accuracy", 0.8, {}, {}}});
  CHECK(own.observe("val_delta_accuracy", 0.2, 1));
}
