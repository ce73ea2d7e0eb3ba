// SPDX-License-Identifier: MIT
/* Classic BPF as seccomp has it: 32-bit accumulator and index, loads from struct
 * seccomp_data by aligned absolute offset. */
#include "bpf_sim.h"

#include <stdbool.h>
#include <string.h>

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t memory[BPF_MEMWORDS];
    bool broken;
};

static uint32_t compute(struct machine *m, uint16_t code, uint32_t operand)
{
    switch (BPF_OP(code)) {
    case BPF_ADD: return m->a + operand;
    case BPF_SUB: return m->a - operand;
    case BPF_MUL: return m->a * operand;
    case BPF_DIV:
        if (operand == 0) m->broken = true;
        return operand ? m->a / operand : 0;
    case BPF_AND: return m->a & operand;
    case BPF_OR: return m->a | operand;
    case BPF_XOR: return m->a ^ operand;
    case BPF_LSH: return operand < 32 ? m->a << operand : 0;
    case BPF_RSH: return operand < 32 ? m->a >> operand : 0;
    case BPF_NEG: return 0 - m->a;
    default: m->broken = true; return 0;
    }
}

static bool compare(struct machine *m, uint16_t code, uint32_t operand)
{
    switch (BPF_OP(code)) {
    case BPF_JEQ: return m->a == operand;
    case BPF_JGT: return m->a > operand;
    case BPF_JGE: return m->a >= operand;
    case BPF_JSET: return (m->a & operand) != 0;
    default: m->broken = true; return false;
    }
}

static uint32_t load(struct machine *m, const struct sock_filter *i,
                     const struct seccomp_data *data)
{
    uint32_t value = 0;
    switch (i->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        if (i->k % 4 != 0 || i->k > sizeof(*data) - sizeof(value))
            m->broken = true;
        else
            memcpy(&value, (const char *)data + i->k, sizeof(value));
        return value;
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN: return sizeof(*data);
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM: return i->k;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
        if (i->k < BPF_MEMWORDS) return m->memory[i->k];
    }
    m->broken = true;
    return 0;
}

static void store(struct machine *m, const struct sock_filter *i, uint32_t value)
{
    if (i->k < BPF_MEMWORDS)
        m->memory[i->k] = value;
    else
        m->broken = true;
}

uint32_t bpf_sim_run(const struct sock_filter *filter, size_t count,
                     const struct seccomp_data *data, size_t *ret_steps)
{
    struct machine m = { 0 };
    size_t steps = 0;
    for (size_t pc = 0; pc < count && !m.broken; pc++) {
        const struct sock_filter *i = &filter[pc];
        uint32_t operand = BPF_SRC(i->code) == BPF_X ? m.x : i->k;
        steps++;
        switch (BPF_CLASS(i->code)) {
        case BPF_LD: m.a = load(&m, i, data); break;
        case BPF_LDX: m.x = load(&m, i, data); break;
        case BPF_ST: store(&m, i, m.a); break;
        case BPF_STX: store(&m, i, m.x); break;
        case BPF_ALU: m.a = compute(&m, i->code, operand); break;
        case BPF_MISC:
            if (BPF_MISCOP(i->code) == BPF_TAX)
                m.x = m.a;
            else
                m.a = m.x;
            break;
        case BPF_JMP:
            if (BPF_OP(i->code) == BPF_JA)
                pc += i->k;
            else
                pc += compare(&m, i->code, operand) ? i->jt : i->jf;
            break;
        case BPF_RET:
            if (ret_steps) *ret_steps = steps;
            return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
        }
    }
    return UINT32_MAX;
}
