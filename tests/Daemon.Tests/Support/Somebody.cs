using System.Runtime.InteropServices;

namespace ImageStore.Daemon.Tests.Support;

/// <summary>Does something as another user: Linux has each thread be somebody, so that the kernel tells of a connection whom the test wants.</summary>
internal static partial class Somebody
{
    private const nuint Unchanged = uint.MaxValue;
    private static readonly bool s_arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    private static readonly nint s_setUser = s_arm ? 147 : 117;
    private static readonly nint s_setGroup = s_arm ? 149 : 119;
    private static readonly nint s_setGroups = s_arm ? 159 : 116;

    /// <summary>Only root can become somebody else.</summary>
    public static void NeedRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root, to become somebody else");

    /// <summary>Runs <paramref name="action"/> on a thread of its own, as that user with the group of the same number.</summary>
    public static void Do(uint user, uint[] groups, Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Check(SetGroups(s_setGroups, groups.Length, groups));
                Check(SetIds(s_setGroup, Unchanged, user, Unchanged));
                Check(SetIds(s_setUser, Unchanged, user, Unchanged));
                action();
            }
            catch (Exception caught)
            {
                failure = caught;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    private static void Check(nint result) => Assert.True(result == 0, Marshal.GetLastPInvokeErrorMessage());

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SetIds(nint number, nuint real, nuint effective, nuint saved);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SetGroups(nint number, nint count, uint[] groups);
}
