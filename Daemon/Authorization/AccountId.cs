using ImageStore.Engine.Configuration;
using ImageStore.Store.Errors;
using ImageStore.Store.Interop;

namespace ImageStore.Daemon.Authorization;

/// <summary>The number of a user or a group that the configuration names.</summary>
internal static class AccountId
{
    /// <exception cref="ImageStoreException">There is no such user: the message has file and line.</exception>
    public static uint OfUser(AccountName user) => Checked(user, user.Id ?? Accounts.FindUser(user.Name) ?? throw Missing(user, "user"));

    /// <exception cref="ImageStoreException">There is no such group: the message has file and line.</exception>
    public static uint OfGroup(AccountName group) => Checked(group, group.Id ?? Accounts.FindGroup(group.Name) ?? throw Missing(group, "group"));

    private static uint Checked(AccountName account, uint id) => id != Peer.Overflow ? id : throw account.Written.Complaint(
        $"{Peer.Overflow} stands for whomever the kernel has no number for, so that nothing can be given to it");

    private static ImageStoreException Missing(AccountName account, string what) =>
        account.Written.Complaint($"there is no {what} '{Printable.Of(account.Name)}' on this machine");
}
