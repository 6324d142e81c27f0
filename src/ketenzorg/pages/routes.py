"""Every page, as routers with their own failures and their own bound on what a form may hold."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from ketenzorg.pages import (
    appointment,
    asked,
    chain,
    consent,
    guide,
    inbox,
    messages,
    pathways,
    practice,
    promises,
    refer,
    referral,
    signing_in,
    styles,
    who_looked,
)
from ketenzorg.pages.forms import LONGEST_FORM
from ketenzorg.pages.refusals import HANDLERS

OPEN_ROUTES: list[ControllerRouterHandler] = [  # nobody's data: always there
    Router(
        path="/",
        route_handlers=[
            pathways.list_pathways,
            pathways.show_pathway,
            promises.show_promises,
            *guide.ROUTES,
            chain.chain_sheet,
            styles.style_sheet,
        ],
        exception_handlers=HANDLERS,
        request_max_body_size=LONGEST_FORM,
    )
]
ROUTES: list[ControllerRouterHandler] = [  # of who signs in
    Router(
        path="/",
        route_handlers=[
            signing_in.home,
            signing_in.choose,
            signing_in.sign_in,
            signing_in.sign_out,
            inbox.show_inbox,
            inbox.claim,
            asked.show_asked,
            asked.answer,
            referral.show_story,
            referral.show_question,
            referral.show_letter,
            referral.take_step,
            referral.undo_step,
            referral.give_to,
            referral.set_number,
            appointment.show_new,
            appointment.show_appointment,
            appointment.make_appointment,
            appointment.change_appointment,
            practice.show_sent,
            practice.show_sent_referral,
            practice.show_practice_question,
            practice.show_return_letter,
            practice.take_practice_step,
            practice.undo_practice_step,
            practice.select_candidate,
            consent.put_on_record,
            messages.show_messages,
            messages.send_again,
            who_looked.show_who_looked,
            who_looked.who_looked_file,
            chain.first_pathway,
            chain.show_chain,
            chain.chain_table,
            refer.choose_pathway,
            refer.show_form,
            refer.send_form,
        ],
        exception_handlers=HANDLERS,
        request_max_body_size=LONGEST_FORM,
    )
]
