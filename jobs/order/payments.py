"""Background work of payments: what a silent gateway left open."""

from core.jobs import task
from resolvers.order import methods, paying, reconciling, settling, waits

task(waits.PAY_ON)(paying.pay_on)
task(waits.RECONCILE)(reconciling.reconcile_payment)
task(waits.LOOK)(reconciling.look_at_charge)
task(waits.CAPTURE_DUE)(settling.capture_due)
task(waits.CARRY_OUT)(settling.carry_out)
task(waits.GIVE_BACK)(settling.give_back)
task(waits.RELEASE)(settling.release_charge)
task(waits.FORGET)(methods.forget_at_gateway)
