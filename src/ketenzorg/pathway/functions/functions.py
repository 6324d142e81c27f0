"""Every score and formula that a pathway file may name, by that name."""

from ketenzorg.pathway.functions.function import Function
from ketenzorg.pathway.functions.functions_anticoagulation import ANTICOAGULATION
from ketenzorg.pathway.functions.functions_kidney import KIDNEY
from ketenzorg.pathway.functions.functions_scores import SCORES

FUNCTIONS: dict[str, Function] = {
    function.name: function for function in (*SCORES, *KIDNEY, *ANTICOAGULATION)
}
