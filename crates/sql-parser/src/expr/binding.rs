//! How tight operators bind, as in Calcite.

use crate::ast::BinaryOp;

pub(crate) const OR: u8 = 10;
pub(crate) const AND: u8 = 20;
pub(crate) const NOT: u8 = 30;
pub(crate) const IS: u8 = 40;
pub(crate) const COMPARE: u8 = 50;
pub(crate) const IN: u8 = 60;
pub(crate) const PLUS: u8 = 70;
pub(crate) const TIMES: u8 = 80;
pub(crate) const SIGN: u8 = 90;
/// What holds together by itself.
pub(crate) const OPERAND: u8 = 100;

/// How tight an operator binds.
pub(crate) fn binary(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Plus | BinaryOp::Minus => PLUS,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo | BinaryOp::Concat => TIMES,
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Lt
        | BinaryOp::LtEq
        | BinaryOp::Gt
        | BinaryOp::GtEq
        | BinaryOp::Overlaps => COMPARE,
    }
}
