/* Ends each touch event with wl_touch.frame (Wayland, appendix A), which cage 0.1.4 leaves out and Chromium waits for.
 *
 * cage asks wlroots 0.15 to send what a finger does, and wlroots sends the frame only when it is asked to as well.
 * Loaded into cage by LD_PRELOAD (flags.py), this stands between the two and asks. It needs no header of theirs: the
 * seat stays a pointer. In a program without wlroots it is never called.
 */

typedef unsigned int u32; /* as uint32_t and int32_t on amd64 and arm64 */
typedef int i32;

extern void *dlsym(void *library, const char *name);
extern void wlr_seat_touch_notify_frame(void *seat) __attribute__((weak));

#define ORIGINAL(name) dlsym((void *)-1 /* RTLD_NEXT */, name)

u32 wlr_seat_touch_notify_down(void *seat, void *surface, u32 time_ms, i32 finger, double x, double y) {
    u32 (*down)(void *, void *, u32, i32, double, double) = ORIGINAL("wlr_seat_touch_notify_down");
    u32 serial = down(seat, surface, time_ms, finger, x, y);
    wlr_seat_touch_notify_frame(seat);
    return serial;
}

void wlr_seat_touch_notify_motion(void *seat, u32 time_ms, i32 finger, double x, double y) {
    void (*motion)(void *, u32, i32, double, double) = ORIGINAL("wlr_seat_touch_notify_motion");
    motion(seat, time_ms, finger, x, y);
    wlr_seat_touch_notify_frame(seat);
}

void wlr_seat_touch_notify_up(void *seat, u32 time_ms, i32 finger) {
    void (*up)(void *, u32, i32) = ORIGINAL("wlr_seat_touch_notify_up");
    up(seat, time_ms, finger);
    wlr_seat_touch_notify_frame(seat);
}
