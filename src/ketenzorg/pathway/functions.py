"""Every score and formula that a pathway file may name, by that name."""

from ketenzorg.pathway.function import Function
from ketenzorg.pathway.functions_anticoagulation import ANTICOAGULATION
from ketenzorg.pathway.functions_kidney import KIDNEY
from ketenzorg.pathway.functions_scores import SCORES

FUNCTIONS: dict[str, Function] = {
    function.name: function for function in (*SCORES, *KIDNEY, *ANTICOAGULATION)
}
